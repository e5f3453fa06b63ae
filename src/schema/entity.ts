/**
 * `entity()`: one declaration of a table, from which everything else follows. The columns are its
 * only string properties besides `~standard`; the rest lies under one symbol.
 *
 * @example
 * const Task = entity("tasks", {
 *   id: t.int().primaryKey(),
 *   weekId: t.int().references("weeks.id", { onDelete: "cascade" }),
 *   createdAt: t.timestamp().defaultNow(),
 * }, { indexes: [{ on: ["weekId", { createdAt: "desc" }] }] });
 */

import { SpringhouseError } from "../core/errors.ts";
import { show } from "./check.ts";
import type { Columns } from "./column.ts";
import { refuseWrongShape } from "./declared-shape.ts";
import { type Declaration, entityFacts } from "./entity-facts.ts";
import type { BaseFact, ColumnFacts, EntityFacts, ReferentialAction } from "./facts.ts";
import { tableNameProblem } from "./names.ts";
import { invalidSchema } from "./refuse.ts";
import {
  type ColumnHandle,
  type DeclaredEntity,
  definition,
  type Entity,
  type RowOf,
  type TypesFor,
} from "./types.ts";
import { standardOf } from "./validate.ts";

/** What can be said about an entity beside its columns. */
export interface EntityOptions<
  Property extends string,
  Key extends string,
  Base extends Entity | undefined,
  Fixed,
> {
  /** The properties of a key of several columns. Default: the columns with `primaryKey()`. */
  readonly primaryKey?: readonly Key[];
  /** Indexes of several columns, descending, partial or unique ones. Default: none. */
  readonly indexes?: readonly IndexOption<Property>[];
  /** UNIQUE constraints over several columns. Default: none. */
  readonly uniques?: readonly UniqueOption<Property>[];
  /** CHECK constraints over SQL names, in words that both databases know. Default: none. */
  readonly checks?: readonly CheckOption[];
  /** Foreign keys over several columns. Default: none. */
  readonly foreignKeys?: readonly ForeignKeyOption<Property>[];
  /** Write every change of a row to `audit_log`, in the same transaction. Default: false. */
  readonly audit?: boolean;
  /** The text properties under full-text search. Default: none. */
  readonly search?: readonly Property[];
  /**
   * The entity is a detail of another: its key is the key of the base, and a row is a row of both.
   * Default: none.
   */
  readonly base?: BaseOption<Base, Fixed>;
}

/** An index: properties in order, each ascending unless it is said otherwise. */
export interface IndexOption<Property extends string> {
  readonly on: readonly (Property | { readonly [P in Property]?: "asc" | "desc" })[];
  /** No two rows have the same values. Default: false. */
  readonly unique?: boolean;
  /** SQL condition over SQL names: only such rows are in the index. Default: all rows. */
  readonly where?: string;
  /** Default: `idx_` (or `uq_`), the table and the columns. */
  readonly name?: string;
}

/** A UNIQUE constraint. */
export interface UniqueOption<Property extends string> {
  readonly on: readonly Property[];
  /** Default: `uq_`, the table and the columns. */
  readonly name?: string;
}

/** A CHECK constraint. */
export interface CheckOption {
  readonly name: string;
  /** SQL over SQL names, such as `length(title) > 0`. */
  readonly expression: string;
}

/** A foreign key over several columns. */
export interface ForeignKeyOption<Property extends string> {
  readonly on: readonly Property[];
  /** Table and columns by SQL names. */
  readonly references: { readonly table: string; readonly columns: readonly string[] };
  /** Default: "no action". */
  readonly onDelete?: ReferentialAction;
  /** Default: "no action". */
  readonly onUpdate?: ReferentialAction;
}

/** The base of a detail entity. */
export interface BaseOption<Base extends Entity | undefined, Fixed> {
  readonly entity: Base;
  /** Properties of the base that are the same in every row of the detail. Default: none. */
  readonly set?: Fixed & FixedOf<Base, Fixed>;
}

/** Refuses, as `never`, properties that the base does not have. */
type FixedOf<Base, Fixed> = Base extends Entity
  ? { readonly [P in keyof Fixed]: P extends keyof RowOf<Base> ? RowOf<Base>[P] : never }
  : unknown;

/** The properties that options can name: the entity's own, and the key that a detail takes over. */
type PropertyName<C, Base> =
  | (keyof C & string)
  | (Base extends Entity ? Base[typeof definition]["types"]["keyProperty"] : never);

/**
 * Declares an entity.
 *
 * @param table its name in SQL.
 * @throws `INVALID_SCHEMA` naming entity, property and reason when it cannot work.
 */
export function entity<
  const Table extends string,
  C extends Columns,
  const Key extends keyof C & string = never,
  Base extends Entity | undefined = undefined,
  const Fixed = unknown,
>(
  table: Table,
  columns: C,
  options: EntityOptions<PropertyName<NoInfer<C>, NoInfer<Base>>, Key, Base, Fixed> = {},
): DeclaredEntity<TypesFor<Table, C, Key, Base, Fixed>> {
  const problem = tableNameProblem(table);
  if (problem !== undefined) throw invalidSchema(String(table), undefined, problem);
  refuseWrongShape(table, columns, options);
  const { base, ...rest } = options;
  const declaration: Declaration = rest as Declaration;
  const facts = entityFacts(
    table,
    columns,
    base === undefined ? declaration : { ...declaration, base: baseOf(table, base) },
  );
  const handles = facts.columns.map((column) => [column.property, handleOf(table, column)]);
  return Object.freeze({
    ...Object.fromEntries(handles),
    [definition]: Object.freeze({ facts }),
    "~standard": Object.freeze(standardOf(facts)),
  });
}

function baseOf(
  table: string,
  { entity: base, set }: BaseOption<Entity | undefined, unknown>,
): BaseFact {
  if (isEntity(base)) return { facts: factsOf(base), set: { ...(set as object | undefined) } };
  throw invalidSchema(table, undefined, `base.entity is ${show(base)}, not made by entity()`);
}

function handleOf(table: string, facts: ColumnFacts): ColumnHandle {
  return Object.freeze({ table, property: facts.property, kind: facts.kind, facts });
}

/**
 * What is known about an entity.
 *
 * @throws `INVALID_ARGUMENT` for what `entity()` did not make.
 */
export function factsOf(declared: Entity): EntityFacts {
  if (!isEntity(declared)) {
    throw new SpringhouseError("INVALID_ARGUMENT", `${show(declared)} is not made by entity().`);
  }
  return declared[definition].facts;
}

/** Whether `value` was made by `entity()`. */
export function isEntity(value: unknown): value is Entity {
  return typeof value === "object" && value !== null && definition in value;
}
