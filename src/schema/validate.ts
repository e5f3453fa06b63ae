/**
 * Checking what goes into the database: whole, naming every field that is wrong, before anything is
 * written. The checks of an entity are compiled once. Everything is synchronous unless a `refine`
 * answers later; only then a promise is returned, so callers write `await` and pay for it rarely.
 */

import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Issue, SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import { type Check, compileCheck } from "./check.ts";
import type { ColumnFacts, EntityFacts } from "./facts.ts";
import { copyJson } from "./json.ts";
import type { StandardIssue, StandardResult, StandardSchemaV1 } from "./standard-schema.ts";

/** Where defaults come from. */
export interface ValidationContext {
  readonly clock: Clock;
  readonly randomUuid: () => string;
}

/** The clock and the randomness of the machine. */
export const systemContext: ValidationContext = { clock: systemClock, randomUuid: randomUUID };

/** A checked row or patch: properties with values as they are stored. */
export type Checked = Readonly<Record<string, unknown>>;

/** Either the values or all issues. */
export type CheckedResult =
  | { readonly value: Checked; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

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

/** One column, compiled. */
interface Field {
  readonly property: string;
  readonly nullable: boolean;
  readonly isKey: boolean;
  readonly isNumbered: boolean;
  readonly check: Check;
  readonly refine: StandardSchemaV1<unknown, unknown> | undefined;
  /** The value when an insert leaves it out, or undefined when there is none. */
  readonly fallback: ((context: ValidationContext) => unknown) | undefined;
  /** The value when an update leaves it out, or undefined when it stays as it is. */
  readonly touch: ((context: ValidationContext) => unknown) | undefined;
  /** The value that every row of a detail has. */
  readonly fixed: { readonly value: unknown } | undefined;
}

interface Plan {
  readonly facts: EntityFacts;
  readonly fields: readonly Field[];
  readonly position: ReadonlyMap<string, number>;
}

const plans = new WeakMap<EntityFacts, Plan>();

function planOf(facts: EntityFacts): Plan {
  const known = plans.get(facts);
  if (known !== undefined) return known;
  const plan = compile(facts);
  plans.set(facts, plan);
  return plan;
}

function compile(facts: EntityFacts): Plan {
  const { base } = facts;
  const own = base === undefined ? facts.columns : facts.columns.filter((c) => !c.primaryKey);
  const fields = [
    ...(base?.facts.columns ?? []).map((column) => fieldOf(column, base?.set)),
    ...own.map((column) => fieldOf(column)),
  ];
  return {
    facts,
    fields,
    position: new Map(fields.map((field, index) => [field.property, index])),
  };
}

function fieldOf(column: ColumnFacts, set: Checked = {}): Field {
  const { property } = column;
  return {
    property,
    nullable: column.nullable,
    isKey: column.primaryKey,
    isNumbered: column.default?.from === "rowid",
    check: compileCheck(column),
    refine: column.refine,
    fallback: fallbackOf(column),
    touch: column.onUpdateNow ? (context) => presentFor(column, context) : undefined,
    fixed: Object.hasOwn(set, property) ? { value: set[property] } : undefined,
  };
}

function fallbackOf(column: ColumnFacts): Field["fallback"] {
  switch (column.default?.from) {
    case "value":
      return freshValue(column, column.default.value);
    case "now":
      return (context) => presentFor(column, context);
    case "random":
      return (context) => context.randomUuid();
    default:
      return column.nullable ? () => null : undefined;
  }
}

/** Values that can be changed are copied, so that no row can change the default of the next. */
function freshValue({ kind }: ColumnFacts, value: unknown): () => unknown {
  if (kind === "json") return () => copyJson(value);
  if (value instanceof Date) return () => new Date(value);
  if (value instanceof Uint8Array) return () => value.slice();
  return () => value;
}

function presentFor({ kind }: ColumnFacts, { clock }: ValidationContext): unknown {
  const now = new Date(clock.nowMs());
  return kind === "date" ? now.toISOString().slice(0, "2025-12-31".length) : now;
}

/** The check of one input. */
class Run {
  readonly #plan: Plan;
  readonly #value: Record<string, unknown> = {};
  readonly #issues: Issue[] = [];
  readonly #pending: Promise<void>[] = [];
  #property = "";

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get changesSomething(): boolean {
    return this.#pending.length > 0 || Object.keys(this.#value).length > 0;
  }

  /** Whether `input` is an object at all; names the fields that do not exist. */
  open(input: unknown): input is Checked {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      this.#issues.push({ path: [], message: "must be an object with the fields of the entity" });
      return false;
    }
    const { position } = this.#plan;
    for (const key of Object.keys(input)) {
      if (!position.has(key)) this.#refuseUnknown(key);
    }
    return true;
  }

  insertField(field: Field, input: Checked, context: ValidationContext): void {
    const given = own(input, field.property);
    if (field.fixed !== undefined) this.#fixedField(field, given, field.fixed.value);
    else if (given !== undefined) this.#field(field, given);
    else if (field.fallback !== undefined) this.#value[field.property] = field.fallback(context);
    else if (!field.isNumbered) this.#refuse(field.property, "is required");
  }

  patchField(field: Field, input: Checked): void {
    const given = own(input, field.property);
    if (given === undefined) return;
    if (field.fixed !== undefined) {
      const isSame = given === field.fixed.value;
      if (!isSame) this.#refuse(field.property, `is always ${JSON.stringify(field.fixed.value)}`);
    } else if (field.isKey) {
      this.#refuse(field.property, "is part of the key, which a patch cannot change");
    } else {
      this.#field(field, given);
    }
  }

  /** Sets a column with `onUpdateNow` that the patch does not give. */
  touchField({ property, touch }: Field, context: ValidationContext): void {
    if (touch === undefined || Object.hasOwn(this.#value, property)) return;
    this.#value[property] = touch(context);
  }

  end(): CheckedResult | Promise<CheckedResult> {
    return this.#pending.length === 0 ? this.#result() : this.#settle();
  }

  async #settle(): Promise<CheckedResult> {
    await Promise.all(this.#pending);
    const { position } = this.#plan;
    const rank = ({ path }: Issue): number => position.get(String(path[0])) ?? -1;
    this.#issues.sort((a, b) => rank(a) - rank(b));
    return this.#result();
  }

  #result(): CheckedResult {
    return this.#issues.length === 0 ? { value: this.#value } : { issues: this.#issues };
  }

  #field(field: Field, given: unknown): void {
    const { property } = field;
    if (given === null) {
      if (field.nullable) this.#value[property] = null;
      else this.#refuse(property, "must not be null");
      return;
    }
    const before = this.#issues.length;
    this.#property = property;
    const value = field.check(given, this.#report);
    if (this.#issues.length > before) return;
    this.#value[property] = value;
    if (field.refine !== undefined) this.#refineField(field, field.refine, value);
  }

  readonly #report = (message: string, path: readonly (string | number)[] = []): void => {
    this.#issues.push({ path: [this.#property, ...path], message });
  };

  #refineField(field: Field, refine: StandardSchemaV1<unknown, unknown>, value: unknown): void {
    const result = refine["~standard"].validate(value);
    if (!(result instanceof Promise)) this.#refined(field, value, result);
    else this.#pending.push(result.then((settled) => this.#refined(field, value, settled)));
  }

  #refined(field: Field, checked: unknown, result: StandardResult<unknown>): void {
    const { property } = field;
    if (result.issues !== undefined) {
      for (const issue of result.issues) {
        this.#issues.push({ path: [property, ...pathOf(issue)], message: issue.message });
      }
      return;
    }
    this.#property = property;
    // What a schema makes of the value has to be storable as well.
    const value = result.value === checked ? checked : field.check(result.value, this.#report);
    this.#value[property] = value;
  }

  #fixedField({ property }: Field, given: unknown, value: unknown): void {
    if (given === undefined || given === value) this.#value[property] = value;
    else this.#refuse(property, `is always ${JSON.stringify(value)} here; leave it out`);
  }

  #refuseUnknown(key: string): void {
    const known = [...this.#plan.position.keys()];
    const near = nearest(key, known);
    const hint = near === undefined ? `the fields are ${known.join(", ")}` : `is "${near}" meant?`;
    this.#refuse(key, `is not a field of "${this.#plan.facts.table}"; ${hint}`);
  }

  #refuse(property: string, message: string): void {
    this.#issues.push({ path: [property], message });
  }
}

/** A field of the input; what `Object.prototype` has does not count. */
function own(input: Checked, property: string): unknown {
  return Object.hasOwn(input, property) ? input[property] : undefined;
}

function pathOf({ path = [] }: StandardIssue): readonly (string | number)[] {
  return path.map((part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "symbol" ? String(key) : key;
  });
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
    for (let position = 0; position < this.#rows.length; position++) {
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
