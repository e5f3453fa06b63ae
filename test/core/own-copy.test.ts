import { expect, test } from "vitest";
import { ownCopy } from "../../src/core/own-copy.ts";

test("a copy is equal, frozen, and shares nothing that can change", () => {
  const given = { a: 1, at: new Date(0), bytes: new Uint8Array([1]), list: [{ b: 2 }], no: null };

  const copy = ownCopy(given);
  given.at.setTime(1);
  given.bytes[0] = 9;
  (given.list[0] as { b: number }).b = 3;

  expect(copy).toEqual({
    a: 1,
    at: new Date(0),
    bytes: new Uint8Array([1]),
    list: [{ b: 2 }],
    no: null,
  });
  expect(Object.isFrozen(copy) && Object.isFrozen(copy.list) && Object.isFrozen(copy.list[0])).toBe(
    true,
  );
});

test("circles, great depth, and what is no plain data are survived", () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  circle["list"] = [circle];
  let deep: unknown = 1;
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  const map = new Map();

  const copy = ownCopy(circle);

  expect(copy["self"]).toBe(copy);
  expect(copy["list"]).toEqual([copy]);
  expect(ownCopy(deep)).toBeInstanceOf(Array);
  expect(ownCopy(map)).toBe(map);
  expect(ownCopy(JSON.parse('{"__proto__": 1}'))).toEqual(JSON.parse('{"__proto__": 1}'));
});
