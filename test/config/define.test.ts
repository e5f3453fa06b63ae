import { describe, expect, it } from "vitest";
import { defineConfig } from "../../src/config/define.ts";

describe("defineConfig", () => {
  it("returns what it was given", () => {
    const config = { database: { url: "sqlite:a.db" }, entities: undefined };

    expect(defineConfig(config)).toBe(config);
  });

  it("refuses an unknown key and a wrong value where they stand", () => {
    // @ts-expect-error a misspelt key does not compile either
    expect(() => defineConfig({ database: { urll: "sqlite:a.db" } })).toThrow(
      'unknown key "database.urll". Did you mean "database.url"?',
    );
    // @ts-expect-error nor does a choice that is none
    expect(() => defineConfig({ database: { profile: "slow" } })).toThrow(
      'defineConfig: database.profile: "slow" is not known. Give one of: durable, fast.',
    );
  });
});
