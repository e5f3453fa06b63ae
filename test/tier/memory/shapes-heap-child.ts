/**
 * Makes copies of values of many shapes and prints, for each shape, what they are said to take and
 * by how much the heap has grown: `node --expose-gc shapes-heap-child.ts`.
 */

import { keptCopy } from "../../../src/tier/memory/own-copy.ts";

/** Enough to make everything that does not grow with the copies small beside them. */
const SHAPE_BYTES = 4_000_000;
const COPIES_MAX = 100_000;

type Shape = (index: number) => unknown;

function list(length: number, itemOf: (place: number) => unknown): unknown[] {
  return Array.from({ length }, (_, place) => itemOf(place));
}

function record(
  length: number,
  nameOf: (place: number) => string,
  itemOf: (place: number) => unknown = (place) => place,
): Record<string, unknown> {
  return Object.fromEntries(list(length, (place) => [nameOf(place), itemOf(place)]) as []);
}

function nested(levels: number, inmost: unknown): unknown {
  let value = inmost;
  for (let level = 0; level < levels; level++) value = { v: value };
  return value;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  "bigints, small": (index) => [BigInt(index), 2n ** BigInt(index % 500), -5n - BigInt(index)],
  "bigints of 10 KB": (index) => 2n ** 80_000n + BigInt(index),
  "maps and sets, empty": () => [new Map(), new Set(), new Map()],
  "maps and sets of one": (index) => [new Map([[index, index]]), new Set([index])],
  maps: (index) => new Map(list(1 + (index % 30), (place) => [`x${place}`, place]) as []),
  "sets of fractions": (index) =>
    new Set(list(1 + (index % 30), (place) => (place as number) * 1.5)),
  "maps of objects": (index) => new Map([[{ a: index }, [new Date(index), [index]]]]),
  dates: (index) => [new Date(index), new Date(index + 1)],
  "bytes, few": (index) => new Uint8Array(1 + (index % 8)),
  bytes: (index) => new Uint8Array(index % 300),
  "fractions in bytes": (index) => new Float64Array(1 + (index % 50)),
  "one property": (index) => ({ v: index }),
  "no property": () => [{}, [], {}, [], ""],
  "one property, with a text": (index) => ({ v: `text ${index}` }),
  "lists of one property": (index) => list(20, (place) => ({ v: place + index })),
  "three fractions": (index) => ({ a: index + 0.5, b: index + 0.25, c: Math.random() }),
  "whole numbers among fractions": (index) => ({ m: index % 2 === 0 ? index : index + 0.5, n: 1 }),
  "lists of both": (index) => list(20, (place) => place / 2 + index),
  "negative zeros": () => list(20, () => -0),
  mixed: (index) => [index + 0.25, `x ${index}`, null, index, undefined, true],
  rows: (index) =>
    list(20, (place) => ({ id: place + index, name: `name ${place}`, at: place * 1.5, ok: true })),
  "nested deeply": (index) => nested(60, { index }),
  "many properties": () =>
    record(
      25,
      (place) => `field${place}`,
      (place) => place + 0.5,
    ),
  "very many properties": () => record(200, (place) => `column${place}`),
  "any number of properties": (index) => record(index % 50, (place) => `any${place}`),
  "names that are numbers": (index) => ({ [index]: 1, [index + 1]: 2, [index + 1_000]: 3 }),
  "names that are numbers in a row": () => record(20, String),
  "names of both kinds": (index) => ({ [index * 1_000]: 1, x: 1, [index + 2_000_000]: 2 }),
  "no prototype": (index) => Object.assign(Object.create(null), { a: index, b: 2 }),
  "long names": (index) => ({ ["n".repeat(300) + index]: 1 }),
  "one own name": (index) => ({ [`one${index}`]: 1 }),
  "two own names": (index) => ({ [`p${index}`]: 1, [`q${index}`]: 2 }),
  "one own name of three": (index) => ({ id: index, name: 1, [`own${index}`]: 2 }),
  "20 identifiers": () => record(20, () => crypto.randomUUID()),
  "40 own names": (index) => record(40, (place) => `key${place}_${index}`),
  "400 own names": (index) => record(400, (place) => `key${place}_${index}`),
  "some of many names": (index) =>
    record(1 + (index % 12), (place) => `of${(index * 7 + place * 13 * (1 + (index % 17))) % 300}`),
  "a property __proto__": (index) => JSON.parse(`{"__proto__":{"a":${index}},"b":1}`),
  "texts of one byte": (index) => "é".repeat(200) + index,
  "texts of two bytes": (index) => "한".repeat(200) + index,
  "single letters": () => list(20, (place) => String.fromCharCode(65 + place)),
};

function heapBytes(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function fill(shape: Shape): { readonly said: number; readonly grown: number } {
  // Code is compiled with the first copies; they do not count.
  for (let index = 0; index < 1_000; index++) keptCopy(shape(1_000_000 + index));
  const { bytes } = keptCopy(shape(7));
  const copies = Math.min(COPIES_MAX, Math.ceil(SHAPE_BYTES / (bytes + 50)));
  const kept = new Array<unknown>(copies);
  const before = heapBytes();
  let said = 0;
  for (let index = 0; index < copies; index++) {
    const copy = keptCopy(shape(index));
    kept[index] = copy.value;
    said += copy.bytes;
  }
  const grown = heapBytes() - before;
  return kept.length === copies ? { said, grown } : { said: 0, grown: 0 };
}

/** What the collector leaves of the shape before, or frees late, is in one of two measures at most. */
function fillTwice(shape: Shape): { readonly said: number; readonly grown: number } {
  const [first, second] = [fill(shape), fill(shape)];
  const off = ({ said, grown }: typeof first): number => Math.abs(grown / said - 1);
  return off(first) < off(second) ? first : second;
}

const results: Record<string, { readonly said: number; readonly grown: number }> = {};
for (const [name, shape] of Object.entries(SHAPES)) results[name] = fillTwice(shape);
process.stdout.write(JSON.stringify(results));
