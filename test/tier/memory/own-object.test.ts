import { describe, expect, it } from "vitest";
import { isIndex, knownShape, newObject } from "../../../src/tier/memory/own-object.ts";

/** Names' places in known shapes, and strangers until all is learnt anew. */
const KNOWN_MAX = 8_192;
const STRANGERS_MAX = 65_536;

describe("shapes of objects", () => {
  it("are known by their names, in their order", () => {
    newObject(["a", "b"], true);
    newObject(["a", "c"], true);

    expect(knownShape({ a: 1, b: 2 })).not.toBeUndefined();
    expect(knownShape({ a: 1, c: 2 })).not.toBeUndefined();
    for (const object of [
      { a: 1 },
      { b: 1, a: 2 },
      { a: 1, b: 2, c: 3 },
      { c: 1 },
      { a: 1, d: 1 },
    ]) {
      expect(knownShape(object)).toBeUndefined();
    }
  });

  it("have objects without properties, with the prototype of all", () => {
    for (const names of [[], ["a", "b"], Array.from({ length: 128 }, (_, index) => `${index}.`)]) {
      newObject(names, true);
      const shape = knownShape(Object.fromEntries(names.map((name) => [name, 1])));
      const object = shape && new shape.Plain();

      expect(object).toStrictEqual({});
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      expect(shape?.bytes).toBe(24 + 8 * names.length);
    }
  });

  it("are bounded, and learnt anew when there were many others", () => {
    const isKnownLater = (name: string) => {
      newObject([name], true);
      return knownShape({ [name]: 1 }) !== undefined;
    };
    for (let index = 0; index < KNOWN_MAX; index++) newObject([`filling ${index}`], true);

    expect(isKnownLater("late")).toBe(false);
    for (let index = 0; index < STRANGERS_MAX; index++) newObject([`strange ${index}`], true);
    expect(isKnownLater("later")).toBe(true);
  });
});

describe("a name", () => {
  it("is an index when it stands for a whole number that a list may have", () => {
    for (const name of ["0", "7", "10", "4294967294"]) expect(isIndex(name), name).toBe(true);
    for (const name of ["", "a", "01", "-1", "1.5", "1e3", "4294967295", " 1", "1a"]) {
      expect(isIndex(name), name).toBe(false);
    }
  });
});
