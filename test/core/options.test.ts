import { describe, expect, it } from "vitest";
import { nearest, refuseUnknownKeys } from "../../src/core/options.ts";

describe("refuseUnknownKeys", () => {
  it("accepts an object whose keys are all known", () => {
    expect(() => refuseUnknownKeys({ maxSize: 1 }, ["maxSize", "minSize"], "pool")).not.toThrow();
  });

  it("names the misspelt key, the one that was meant, and all known ones", () => {
    expect(() => refuseUnknownKeys({ maxSzie: 1 }, ["maxSize", "minSize"], "pool")).toThrow(
      'pool: unknown option "maxSzie". Did you mean "maxSize"? Known options: maxSize, minSize.',
    );
  });

  it("does not guess when nothing is near", () => {
    expect(() => refuseUnknownKeys({ colour: 1 }, ["maxSize"], "pool")).toThrow(
      'pool: unknown option "colour". Known options: maxSize.',
    );
  });
});

describe("nearest", () => {
  it("ignores case and prefers the smallest distance", () => {
    expect(nearest("WEEKID", ["weekDay", "weekId"])).toBe("weekId");
  });

  it("takes a beginning for an abbreviation", () => {
    expect(nearest("maxLen", ["minLength", "maxLength"])).toBe("maxLength");
    expect(nearest("m", ["minLength", "maxLength"])).toBeUndefined();
  });
});
