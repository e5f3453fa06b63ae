/** Rows of tasks that differ in everything, and random conditions on them. */

import fc from "fast-check";
import type { InsertOf } from "../../src/schema/types.ts";
import type { Task } from "./support.ts";

export const TITLES = [
  "a",
  "A",
  "ab",
  "a%b",
  "a_b",
  "a\\b",
  "b",
  "'\"",
  "한글",
  "한",
  "𝄞x",
  "\u{10ffff}",
  "\uffff",
];
export const TEXTS = [...TITLES, "", "%", "_", "\\", "x' OR 1=1 --"];

/** Rows of the weeks 1 to 3. */
export function taskInputs(): InsertOf<typeof Task>[] {
  return Array.from({ length: 39 }, (_, index) => ({
    weekId: (index % 3) + 1,
    title: TITLES[Math.floor(index / 3)] as string,
    state: index % 4 === 0 ? ("done" as const) : ("open" as const),
    score: index % 5,
    ratio: index % 3 === 0 ? null : (index % 4) / 2,
    isPaid: index % 2 === 0,
    dueOn: index % 3 === 1 ? null : `2025-01-0${(index % 5) + 1}`,
    createdAt: new Date(index % 7),
  }));
}

const score = fc.integer({ min: -1, max: 6 });
const ratio = fc.constantFrom(0, 0.5, 1, 1.5, 7);
const text = fc.constantFrom(...TEXTS);
const moment = fc.integer({ min: -1, max: 8 }).map((ms) => new Date(ms));
const day = fc.integer({ min: 1, max: 6 }).map((each) => `2025-01-0${each}`);

function ordered<T>(value: fc.Arbitrary<T>): fc.Arbitrary<object> {
  const operator = fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte");
  return fc.tuple(operator, value).map(([name, operand]) => ({ [name]: operand }));
}

function listed<T>(value: fc.Arbitrary<T>): fc.Arbitrary<object> {
  const operator = fc.constantFrom("in", "notIn");
  return fc
    .tuple(operator, fc.array(value, { maxLength: 6 }))
    .map(([name, list]) => ({ [name]: list }));
}

const textual = fc
  .tuple(fc.constantFrom("startsWith", "endsWith", "contains"), text)
  .map(([name, part]) => ({ [name]: part }));

const nullable = fc.constantFrom(null, { eq: null }, { ne: null });

/** A condition, nested or not. */
export const { where } = fc.letrec<{ where: object }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 4, depthIdentifier: "where" },
    fc.record(
      {
        score: fc.oneof(score, ordered(score), listed(score)),
        ratio: fc.oneof(
          ratio,
          nullable,
          ordered(ratio),
          listed(fc.oneof(ratio, fc.constant(null))),
        ),
        title: fc.oneof(text, ordered(text), listed(text), textual),
        isPaid: fc.oneof(
          fc.boolean(),
          fc.boolean().map((eq) => ({ ne: eq })),
        ),
        dueOn: fc.oneof(day, nullable, ordered(day), listed(day)),
        createdAt: fc.oneof(moment, ordered(moment), listed(moment)),
      },
      { requiredKeys: [] },
    ),
    fc.array(tie("where"), { maxLength: 3 }).map((or) => ({ or })),
    fc.array(tie("where"), { maxLength: 3 }).map((and) => ({ and })),
    tie("where").map((not) => ({ not })),
  ),
}));
