/**
 * Checking what goes into the database: whole, naming every field that is wrong, before anything is
 * written. The checks of an entity are compiled once. Everything is synchronous unless a `refine`
 * answers later, or there are so many rows that the event loop must have its turn between; only
 * then a promise is returned, so callers write `await` and pay for it rarely.
 */

import { type Issue, SpringhouseError } from "../core/errors.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import type { EntityFacts } from "./facts.ts";
import type { StandardResult, StandardSchemaV1 } from "./standard-schema.ts";
import { type Checked, planOf, systemContext, type ValidationContext } from "./validate-plan.ts";
import { type CheckedResult, Run } from "./validate-run.ts";

/** So many issues of a batch are gathered; whoever has more will not read them all. */
export const ISSUES_MAX = 1_000;
/** So many rows of a batch wait for an asynchronous `refine` at once. */
const ROWS_AT_ONCE_MAX = 100;
/** So many issues stand in the message of the error; all are in `issues`. */
const ISSUES_IN_MESSAGE = 5;

/**
 * Checks an insert and fills in the defaults. Gives a full row, save for a key that the database
 * numbers; for a detail the row is of base and detail together.
 *
 * @throws `VALIDATION` with all issues.
 */
export function validateInsert(
  facts: EntityFacts,
  input: unknown,
  context: ValidationContext = systemContext,
): Checked | Promise<Checked> {
  return orThrow(facts, checkInsert(facts, input, context));
}

/**
 * Checks a patch: absent and undefined mean untouched, null means NULL. A patch that changes
 * something sets the columns with `onUpdateNow`.
 *
 * @throws `VALIDATION` with all issues.
 */
export function validatePatch(
  facts: EntityFacts,
  input: unknown,
  context: ValidationContext = systemContext,
): Checked | Promise<Checked> {
  return orThrow(facts, checkPatch(facts, input, context));
}

/**
 * Checks many inserts; the path of each issue begins with the position of the row.
 *
 * @throws `VALIDATION` with the issues of all rows, at most 1,000 of them.
 */
export function validateInserts(
  facts: EntityFacts,
  rows: readonly unknown[],
  context: ValidationContext = systemContext,
): readonly Checked[] | Promise<readonly Checked[]> {
  const batch = new Batch(facts, rows, context);
  return batch.run();
}

/** As `validateInsert`, but gives the issues instead of throwing them. */
export function checkInsert(
  facts: EntityFacts,
  input: unknown,
  context: ValidationContext = systemContext,
): CheckedResult | Promise<CheckedResult> {
  const plan = planOf(facts);
  const run = new Run(plan);
  if (!run.open(input)) return run.end();
  for (const field of plan.fields) run.insertField(field, input, context);
  return run.end();
}

/** As `validatePatch`, but gives the issues instead of throwing them. */
export function checkPatch(
  facts: EntityFacts,
  input: unknown,
  context: ValidationContext = systemContext,
): CheckedResult | Promise<CheckedResult> {
  const plan = planOf(facts);
  const run = new Run(plan);
  if (!run.open(input)) return run.end();
  for (const field of plan.fields) run.patchField(field, input);
  if (run.changesSomething) {
    for (const field of plan.fields) run.touchField(field, context);
  }
  return run.end();
}

/** The Standard Schema of an entity: it checks an insert. */
export function standardOf<Input, Output>(
  facts: EntityFacts,
): StandardSchemaV1<Input, Output>["~standard"] {
  return {
    version: 1,
    vendor: "springhouse",
    validate: (value) => checkInsert(facts, value) as StandardResult<Output>,
  };
}

/** The check of many inputs, a bounded number of them waiting at once. */
class Batch {
  readonly #facts: EntityFacts;
  readonly #rows: readonly unknown[];
  readonly #context: ValidationContext;
  readonly #values: Checked[] = [];
  readonly #issues: Issue[] = [];

  constructor(facts: EntityFacts, rows: readonly unknown[], context: ValidationContext) {
    this.#facts = facts;
    this.#rows = rows;
    this.#context = context;
  }

  run(): readonly Checked[] | Promise<readonly Checked[]> {
    return this.#checkFrom(0);
  }

  #checkFrom(first: number): readonly Checked[] | Promise<readonly Checked[]> {
    for (let position = first; position < this.#rows.length; position++) {
      if (position > first && isSliceOver())
        return nextSlice().then(() => this.#checkFrom(position));
      const result = checkInsert(this.#facts, this.#rows[position], this.#context);
      if (result instanceof Promise) return this.#wait(position, result);
      this.#take(position, result);
      if (this.#issues.length >= ISSUES_MAX) break;
    }
    return this.#end();
  }

  async #wait(first: number, pending: Promise<CheckedResult>): Promise<readonly Checked[]> {
    this.#take(first, await pending);
    for (let at = first + 1; at < this.#rows.length; at += ROWS_AT_ONCE_MAX) {
      const rows = this.#rows.slice(at, at + ROWS_AT_ONCE_MAX);
      const check = (row: unknown): CheckedResult | Promise<CheckedResult> =>
        checkInsert(this.#facts, row, this.#context);
      const results = await Promise.all(rows.map(check));
      results.forEach((result, index) => {
        this.#take(at + index, result);
      });
      if (isSliceOver()) await nextSlice();
      if (this.#issues.length >= ISSUES_MAX) break;
    }
    return this.#end();
  }

  #take(position: number, result: CheckedResult): void {
    if (result.issues === undefined) this.#values.push(result.value);
    else {
      for (const { path, message } of result.issues) {
        if (this.#issues.length < ISSUES_MAX) {
          this.#issues.push({ path: [position, ...path], message });
        }
      }
    }
  }

  #end(): readonly Checked[] {
    if (this.#issues.length > 0) throw validationError(this.#facts, this.#issues);
    return this.#values;
  }
}

function orThrow(
  facts: EntityFacts,
  result: CheckedResult | Promise<CheckedResult>,
): Checked | Promise<Checked> {
  if (result instanceof Promise) return result.then((settled) => valueOrThrow(facts, settled));
  return valueOrThrow(facts, result);
}

function valueOrThrow(facts: EntityFacts, result: CheckedResult): Checked {
  if (result.issues !== undefined) throw validationError(facts, result.issues);
  return result.value;
}

/** The error for these issues; its message lists the first few. */
export function validationError(facts: EntityFacts, issues: readonly Issue[]): SpringhouseError {
  const shown = issues.slice(0, ISSUES_IN_MESSAGE).map(describeIssue).join("; ");
  const more = issues.length - ISSUES_IN_MESSAGE;
  const rest = more > 0 ? `; and ${more} more` : "";
  return new SpringhouseError("VALIDATION", `"${facts.table}" is not valid: ${shown}${rest}.`, {
    fields: { table: facts.table },
    issues,
  });
}

function describeIssue({ path, message }: Issue): string {
  const [first, ...rest] = path;
  if (first === undefined) return message;
  if (typeof first === "number") {
    return `row ${first}: ${describeIssue({ path: rest, message })}`;
  }
  const inner = rest.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`));
  return `${first}${inner.join("")} ${message}`;
}
