import { expect, it } from "vitest";
import { hashText } from "../../src/core/hash.ts";

it("gives thirty-two digits, the same for the same text", () => {
  expect(hashText("")).toMatch(/^[0-9a-f]{32}$/);
  expect(hashText("week 한국어")).toBe(hashText("week 한국어"));
});

it("tells half a million texts of one pattern apart, in each half of its digits", () => {
  const heads = new Set<string>();
  const tails = new Set<string>();
  const count = 500_000;

  for (let index = 0; index < count; index++) {
    const hash = hashText(`{"name":"column_${index}","type":"TEXT"}`);
    heads.add(hash.slice(0, 16));
    tails.add(hash.slice(16));
  }

  expect([heads.size, tails.size]).toEqual([count, count]);
});

it("changes about half of its bits when one character changes", () => {
  const one = BigInt(`0x${hashText("CREATE TABLE weeks (id INTEGER)")}`);
  const other = BigInt(`0x${hashText("CREATE TABLE weeks (id INTEGES)")}`);

  const bits = (one ^ other).toString(2).replaceAll("0", "").length;

  expect(bits).toBeGreaterThan(40);
  expect(bits).toBeLessThan(88);
});
