import { expect, it } from "vitest";
import { ownCopy } from "../../../src/tier/memory/own-copy.ts";
import { readerCopy } from "../../../src/tier/memory/reader-copy.ts";

it("a reader shares what is frozen, and has dates, bytes, maps and sets to itself", () => {
  const given = {
    plain: { deep: [1, { two: 2 }] },
    row: { at: new Date(5), bytes: new Uint8Array([7]), floats: new Float64Array([0.5]) },
    list: [{ map: new Map([["a", { at: new Date(6) }]]), set: new Set([new Date(7)]) }],
  };
  const { value } = ownCopy(given) as { value: typeof given };

  const copy = readerCopy(value) as typeof given;
  copy.row.at.setTime(0);
  copy.row.bytes[0] = 0;
  copy.row.floats[0] = 0;

  expect(value).toEqual(given);
  expect(copy.list).toEqual(given.list);
  expect(copy.plain).toBe(value.plain);
  expect([copy, copy.row, copy.list, copy.list[0]].every((each) => Object.isFrozen(each))).toBe(
    true,
  );
  expect(copy.list[0]?.map).not.toBe(value.list[0]?.map);
  expect(readerCopy(value.plain)).toBe(value.plain);
});

it("keeps a property called __proto__ as one", () => {
  const { value } = ownCopy(JSON.parse('{"a":1,"__proto__":{"b":2}}'));
  const withDate = ownCopy(
    Object.defineProperty({ a: 1 }, "__proto__", { value: { at: new Date(5) }, enumerable: true }),
  ).value;

  const copy = readerCopy(withDate) as object;

  expect(readerCopy(value)).toBe(value);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(copy, "__proto__")?.value).toEqual({ at: new Date(5) });
});
