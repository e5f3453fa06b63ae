/** Of the tier contract: values come back as they were, and belong to whoever reads them. */

import { strict as assert } from "node:assert";
import { hasOf, noise, type TierCases, valuesOf } from "./context.ts";

/** Data of every kind. */
const VALUES: readonly unknown[] = [
  null,
  false,
  true,
  0,
  "",
  -1.5,
  Number.MAX_SAFE_INTEGER,
  "text",
  "line\nbreak \0 null \u2028 é e\u0301 👩‍👩‍👧 \ud800",
  [],
  {},
  [1, [2, [3, null]]],
  { a: { b: { c: ["d"] } }, "": 0, $: "kind" },
  JSON.parse('{"__proto__": {"own": true}}'),
  { undefined, nested: [undefined] },
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  12345678901234567890n,
  -1n,
  new Date(0),
  new Date(Date.UTC(2030, 1, 29, 1, 2, 3, 4)),
  new Date(Number.NaN),
  new Map<unknown, unknown>([
    ["a", 1],
    [2, new Map([["deep", new Set([1n])]])],
  ]),
  new Set<unknown>(["a", 1, null]),
  new Uint8Array(0),
  new Uint8Array([0, 255, 128]),
  { bytes: new Uint8Array([1, 2, 3]) },
  new Float64Array([0.1, Number.NaN]),
  new Int16Array([-1, 1]),
  new BigInt64Array([-1n]),
  "x".repeat(200_000),
  noise(100_000, 1),
  Array.from({ length: 2_000 }, (_, id) => ({ id, name: `name ${id}`, at: id * 1_000 })),
  new Uint8Array(1_000_000).fill(7),
];

interface Person {
  name: string;
  roles: string[];
}

export const values: TierCases = {
  cases: {
    "of every kind of data comes back as it was": async ({ tier, entry }) => {
      await tier.setMany(VALUES.map((value, index) => entry(`key ${index}`, { value })));

      const found = await valuesOf(
        tier,
        VALUES.map((_, index) => `key ${index}`),
      );

      for (const [index, value] of VALUES.entries()) {
        assert.deepEqual(found[index], value, `value ${index} is another`);
      }
    },

    "that is nothing much is still a hit": async ({ tier, entry }) => {
      const nothings = [null, false, 0, "", []];
      await tier.setMany(nothings.map((value, index) => entry(`key ${index}`, { value })));

      const keys = nothings.map((_, index) => `key ${index}`);
      const found = await tier.getMany(keys);

      assert.deepEqual(
        found.map((each) => each?.key),
        keys,
      );
      assert.deepEqual(await hasOf(tier, keys), nothings.fill(true));
    },

    "does not change with the object that was stored": async ({ tier, entry }) => {
      const value: Person = { name: "Ada", roles: ["a"] };
      const bytes = new Uint8Array([1, 2, 3]);
      const tags = ["t"];
      await tier.setMany([entry("a", { value, tags }), entry("b", { value: bytes })]);

      value.name = "Eve";
      value.roles.push("b");
      bytes[0] = 99;
      tags.push("u");

      const [a, b] = await tier.getMany(["a", "b"]);
      assert.deepEqual(a?.value, { name: "Ada", roles: ["a"] });
      assert.deepEqual(a?.tags, ["t"]);
      assert.deepEqual(b?.value, new Uint8Array([1, 2, 3]));
    },

    "does not change with an object that was read": async ({ tier, entry }) => {
      await tier.setMany([
        entry("a", { value: { name: "Ada", roles: ["a"] } }),
        entry("b", { value: new Uint8Array([1, 2, 3]) }),
        entry("c", { value: new Map([["k", 1]]) }),
      ]);
      const [a, b, c] = await valuesOf(tier, ["a", "b", "c"]);

      // A tier may also give objects that cannot be changed.
      attempt(() => (a as Person).roles.push("b"));
      attempt(() => {
        (a as Person).name = "Eve";
      });
      attempt(() => (b as Uint8Array).fill(0));
      attempt(() => (c as Map<string, number>).clear());

      assert.deepEqual(await valuesOf(tier, ["a", "b", "c"]), [
        { name: "Ada", roles: ["a"] },
        new Uint8Array([1, 2, 3]),
        new Map([["k", 1]]),
      ]);
    },

    "read twice in one batch is two objects": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { value: { name: "Ada", roles: [] } })]);
      const [first, second] = await valuesOf(tier, ["a", "a"]);

      attempt(() => {
        (first as Person).name = "Eve";
      });

      assert.deepEqual(second, { name: "Ada", roles: [] });
    },
  },
};

function attempt(change: () => unknown): void {
  try {
    change();
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error));
  }
}
