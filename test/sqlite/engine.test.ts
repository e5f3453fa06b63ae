import { describe, expect, it } from "vitest";
import { assertSafeSqlite, sqliteVersion } from "../../src/sqlite/engine.ts";

describe("the version of SQLite", () => {
  it.each(["3.51.3", "3.51.10", "3.53.4", "4.0.0", "3.44.6", "3.44.9", "3.50.7"])(
    "%s is accepted",
    (version) => {
      expect(() => assertSafeSqlite(version)).not.toThrow();
    },
  );

  it.each(["3.51.2", "3.51.0", "3.50.6", "3.49.9", "3.44.5", "3.7.0", "2.8.17"])(
    "%s is refused with the release to use",
    (version) => {
      expect(() => assertSafeSqlite(version)).toThrow(
        expect.objectContaining({
          code: "SQLITE_TOO_OLD",
          message: expect.stringContaining("Node.js 24.15"),
          fields: { version, needed: "3.51.3" },
        }),
      );
    },
  );

  it("that runs here is a safe one", () => {
    expect(sqliteVersion()).toMatch(/^3\.\d+\.\d+$/);
    expect(() => assertSafeSqlite(sqliteVersion())).not.toThrow();
  });
});
