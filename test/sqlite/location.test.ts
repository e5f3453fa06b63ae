import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseLocation } from "../../src/sqlite/location.ts";

describe("a location", () => {
  it.each([
    ["sqlite:app.db", resolve("app.db")],
    ["sqlite:data/app.db", resolve("data/app.db")],
    ["sqlite:/var/lib/app.db", "/var/lib/app.db"],
    ["sqlite:///app.db", resolve("app.db")],
    ["sqlite:////var/lib/app.db", "/var/lib/app.db"],
    ["sqlite:///data/my app.db", resolve("data/my app.db")],
  ])("reads %s as a file", (url, path) => {
    expect(parseLocation(url)).toEqual({ kind: "file", path });
  });

  it.each([":memory:", "sqlite::memory:", "sqlite:///:memory:", "sqlite://"])(
    "reads %s as a temporary database",
    (url) => {
      expect(parseLocation(url)).toEqual({ kind: "temporary" });
    },
  );

  it.each([
    ["postgres://localhost/app", "PostgreSQL is for a later version"],
    ["app.db", "does not begin with sqlite:"],
    ["sqlite:", "names no file"],
    ["sqlite:///", "names no file"],
    ["sqlite://host/app.db", "names a host"],
    ["sqlite:app.db?mode=ro", "has parameters"],
    ["sqlite:a\0b", "null character"],
  ])("refuses %s and says why", (url, reason) => {
    expect(() => parseLocation(url)).toThrow(
      expect.objectContaining({ code: "INVALID_URL", message: expect.stringContaining(reason) }),
    );
  });
});
