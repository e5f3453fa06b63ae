/** The checks and defaults of an entity, compiled once and kept as long as its facts. */

import { type Clock, systemClock } from "../core/clock.ts";
import { type Check, compileCheck } from "./check.ts";
import type { ColumnFacts, EntityFacts } from "./facts.ts";
import { copyJson } from "./json.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

/** Where defaults come from. */
export interface ValidationContext {
  readonly clock: Clock;
  readonly randomUuid: () => string;
}

/** The clock and the randomness of the machine. */
export const systemContext: ValidationContext = {
  clock: systemClock,
  randomUuid: () => crypto.randomUUID(),
};

/** A checked row or patch: properties with values as they are stored. */
export type Checked = Readonly<Record<string, unknown>>;

/** One column, compiled. */
export interface Field {
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

/** One entity, compiled. */
export interface Plan {
  readonly facts: EntityFacts;
  readonly fields: readonly Field[];
  readonly position: ReadonlyMap<string, number>;
}

const plans = new WeakMap<EntityFacts, Plan>();

/** The plan of an entity, compiled at the first call. */
export function planOf(facts: EntityFacts): Plan {
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
