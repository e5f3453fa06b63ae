/**
 * From differences to ordered steps with SQL, and the steps that lead back.
 *
 * Order: renames; triggers and views that stand in the way go; indexes go; new tables; changed
 * tables, by ALTER where that suffices and else rebuilt; tables go; indexes, views and triggers
 * come (back), ours after everybody else's. The way back is the plan of the opposite difference.
 */

import { SpringhouseError } from "../core/errors.ts";
import { mentions } from "../core/sql-tokens.ts";
import { createIndex } from "../schema/ddl.ts";
import type { PhysicalObject, PhysicalSchema } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { changeTables, type TableChanges } from "./alter.ts";
import { diff, merge, undeclaredIn } from "./diff.ts";
import type { FileSchema } from "./introspect.ts";
import { canonicalName, includesName } from "./normalise.ts";
import { createOrder, disturbedObjects, dropOrder } from "./objects.ts";
import type { Operation } from "./operation.ts";
import { renderTable, temporaryName } from "./rebuild.ts";
import { applyRenames, checkTargets, inverseRenames, type Rename } from "./rename.ts";

/** One step of a plan. */
export interface PlanStep {
  /** What it does, in words. */
  readonly summary: string;
  /** Its statements, without semicolons. */
  readonly sql: readonly string[];
  /** Rows or columns may be lost. */
  readonly destructive: boolean;
  /** Every row of the table is written again. */
  readonly rewritesTable: boolean;
  /** The way back restores the structure, not what was in it. */
  readonly irreversible: boolean;
  readonly table?: string;
  /** Rows that it reads or writes, when they were counted. */
  readonly rows?: number;
  readonly estimatedMs?: number;
}

/** How one schema becomes another. */
export interface SchemaPlan {
  readonly operations: readonly Operation[];
  readonly steps: readonly PlanStep[];
  /** The steps back. */
  readonly inverse: readonly PlanStep[];
  /** `"off"` when a table is rebuilt or dropped. */
  readonly foreignKeys: "on" | "off";
  /** What to know before running it: values that are missing, features that get lost, renames. */
  readonly hints: readonly string[];
  /** What is there without being declared, left alone; in words. */
  readonly undeclared: readonly string[];
}

/** For `planSchema`. */
export interface PlanOptions {
  /** Declared renames. Default: none. */
  readonly renames?: readonly Rename[];
  /** Rows by table, for the estimates. Default: unknown, no estimates. */
  readonly rows?: ReadonlyMap<string, number>;
  /** What to do with tables, views and triggers that are not desired. Default: "keep". */
  readonly undeclared?: "keep" | "drop";
}

/** Rows copied in a millisecond: about 500,000 a second for ten columns on a small machine. */
export const COPY_ROWS_PER_MS = 500;
/** Rows indexed in a millisecond: sorting about a million a second. */
const INDEX_ROWS_PER_MS = 1_000;

/**
 * The plan from `current` to `desired`.
 *
 * @throws `INVALID_ARGUMENT` for a rename of something that is not there.
 */
export function planSchema(
  current: FileSchema,
  desired: PhysicalSchema,
  options: PlanOptions = {},
): SchemaPlan {
  if (desired.dialect !== "sqlite") {
    const message = "Plans are made for SQLite only; write the migration for PostgreSQL by hand.";
    throw new SpringhouseError("INVALID_ARGUMENT", message);
  }
  const { renames = [], undeclared = "keep" } = options;
  const operations = diff(current, desired, { renames, undeclared });
  checkTargets(desired, renames);
  const there = planSteps(current, desired, operations, options);
  const renamed = renameAll(current, renames);
  const after = undeclared === "drop" ? { ...renamed, ...desired } : merge(renamed, desired);
  const wayBack = { renames: inverseRenames(renames), undeclared: "drop" } as const;
  const back = planSteps(after, current, diff(after, current, wayBack), wayBack);
  return {
    operations,
    steps: there.steps,
    inverse: back.steps,
    foreignKeys: there.needsKeysOff || back.needsKeysOff ? "off" : "on",
    hints: [...there.hints, ...renameHints(operations)],
    undeclared: undeclared === "drop" ? [] : undeclaredIn(renamed, desired),
  };
}

/** The schema of the file after the renames, with what is known about its tables. */
function renameAll(current: FileSchema, renames: readonly Rename[]): FileSchema {
  const newName = (table: string): string =>
    renames.reduce((name, { table: from, column, to }) => {
      return column === undefined && canonicalName(from) === canonicalName(name) ? to : name;
    }, table);
  const rekey = <Fact>(facts: ReadonlyMap<string, Fact>): ReadonlyMap<string, Fact> =>
    new Map([...facts].map(([table, fact]) => [newName(table), fact]));
  return {
    ...applyRenames(current, renames),
    features: rekey(current.features),
    generated: rekey(current.generated),
  };
}

interface Steps {
  readonly steps: readonly PlanStep[];
  readonly hints: readonly string[];
  readonly needsKeysOff: boolean;
}

function planSteps(
  current: FileSchema,
  desired: PhysicalSchema,
  operations: readonly Operation[],
  { renames = [], rows }: PlanOptions,
): Steps {
  const before = renameAll(current, renames);
  const changes = changeTables(before, desired, operations);
  const droppedTables = pick(operations, "drop table").map(({ table }) => table.name);
  const rebuilt = changes.filter(({ mode }) => mode === "rebuild").map(({ table }) => table);
  const gone = pick(operations, "drop object").map(({ object }) => object);
  const aside = disturbedObjects(before.objects, [...rebuilt, ...droppedTables], gone);
  const back = aside.filter(({ table = "" }) => !includesName(droppedTables, table));
  const made = pick(operations, "create object").map(({ object }) => object);
  const steps = [
    ...renames.map(renameStep),
    ...dropOrder([...gone, ...aside]).map(dropObjectStep),
    ...pick(operations, "drop index").map(({ index: { name } }) =>
      step(`drop index ${name}`, [`DROP INDEX ${quoteIdentifier(name)}`]),
    ),
    ...pick(operations, "create table").map(({ table }) =>
      step(`create table ${table.name}`, [renderTable(table)], { table: table.name }),
    ),
    ...changes.map(changeStep),
    ...droppedTables.map(dropTableStep),
    ...pick(operations, "create index").map(({ index }) =>
      step(`create index ${index.name}`, [createIndex(index)], { table: index.table }),
    ),
    ...createOrder([...back, ...made]).map((object) => createObjectStep(object, made)),
  ];
  return {
    steps: rows === undefined ? steps : steps.map((entry) => withCost(entry, rows)),
    hints: [
      ...changes.flatMap((change) => change.hints),
      ...uniqueHints(operations, before),
      ...columnHints(operations, back),
    ],
    needsKeysOff: rebuilt.length + droppedTables.length > 0,
  };
}

type OfKind<Kind extends Operation["kind"]> = Extract<Operation, { readonly kind: Kind }>;

function pick<Kind extends Operation["kind"]>(
  operations: readonly Operation[],
  kind: Kind,
): readonly OfKind<Kind>[] {
  return operations.filter((operation): operation is OfKind<Kind> => operation.kind === kind);
}

function step(summary: string, sql: readonly string[], facts: Partial<PlanStep> = {}): PlanStep {
  const safe = { destructive: false, rewritesTable: false, irreversible: false };
  return { summary, sql, ...safe, ...facts };
}

function renameStep({ table, column, to }: Rename): PlanStep {
  const alter = `ALTER TABLE ${quoteIdentifier(table)} RENAME`;
  if (column === undefined) return renameTableStep(table, to);
  const sql = `${alter} COLUMN ${quoteIdentifier(column)} TO ${quoteIdentifier(to)}`;
  return step(`rename column ${table}.${column} to ${to}`, [sql], { table });
}

/** SQLite takes a name in other letters for the same name, so the table goes by way of another. */
function renameTableStep(table: string, to: string): PlanStep {
  const names = canonicalName(table) === canonicalName(to) ? [temporaryName(to), to] : [to];
  const sql = names.map((name, index) => {
    const from = names[index - 1] ?? table;
    return `ALTER TABLE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(name)}`;
  });
  return step(`rename table ${table} to ${to}`, sql, { table });
}

function dropObjectStep({ kind, name }: PhysicalObject): PlanStep {
  const word = kind === "virtual table" ? "TABLE" : kind.toUpperCase();
  return step(`drop ${kind} ${name}`, [`DROP ${word} ${quoteIdentifier(name)}`]);
}

function createObjectStep(object: PhysicalObject, made: readonly PhysicalObject[]): PlanStep {
  // What was only set aside has kept its content; what is new is filled from its table.
  const fill = made.includes(object) && object.fill !== undefined ? [object.fill] : [];
  return step(`create ${object.kind} ${object.name}`, [object.sql, ...fill]);
}

function changeStep({ table, mode, sql, changes, losesColumns }: TableChanges): PlanStep {
  const what = mode === "rebuild" ? "rebuild table" : "alter table";
  return step(`${what} ${table}: ${changes.join("; ")}`, sql, {
    table,
    destructive: losesColumns,
    rewritesTable: mode === "rebuild" || losesColumns,
    irreversible: losesColumns,
  });
}

function dropTableStep(table: string): PlanStep {
  const sql = [`DROP TABLE ${quoteIdentifier(table)}`];
  return step(`drop table ${table}`, sql, { table, destructive: true, irreversible: true });
}

/** Rows and time of a step that touches rows; ADD COLUMN and the like touch none. */
function withCost(entry: PlanStep, counts: ReadonlyMap<string, number>): PlanStep {
  const rows = counts.get(canonicalName(entry.table ?? ""));
  const isIndex = entry.summary.startsWith("create index");
  if (rows === undefined || !(entry.rewritesTable || entry.destructive || isIndex)) return entry;
  const perMs = isIndex ? INDEX_ROWS_PER_MS : COPY_ROWS_PER_MS;
  return { ...entry, rows, estimatedMs: Math.ceil(rows / perMs) };
}

/** A unique index over a table that may have rows. */
function uniqueHints(operations: readonly Operation[], before: FileSchema): readonly string[] {
  const tables = before.tables.map(({ name }) => name);
  return pick(operations, "create index").flatMap(({ index: { name, table, columns, unique } }) => {
    if (!unique || !includesName(tables, table)) return [];
    const names = columns.map((column) => column.name).join(", ");
    return [`${name} makes ${table} (${names}) unique: it fails when rows are equal there`];
  });
}

/** What comes back as it was may use a column that does not; SQLite finds out when it is used. */
function columnHints(
  operations: readonly Operation[],
  back: readonly PhysicalObject[],
): readonly string[] {
  return pick(operations, "drop column").flatMap(({ table, column }) =>
    back
      .filter(({ sql }) => mentions(sql, column.name))
      .map(
        ({ kind, name }) =>
          `${kind} ${name} mentions ${column.name}: if that is ${table}.${column.name}, which ` +
          "goes, it fails whenever it is used. Write it anew in this migration, or drop it",
      ),
  );
}

/** A column that goes while another comes may be a rename; only the author knows. */
function renameHints(operations: readonly Operation[]): readonly string[] {
  const added = pick(operations, "add column");
  return pick(operations, "drop column").flatMap(({ table, column }) => {
    const others = added.filter((entry) => entry.table === table).map((entry) => entry.column.name);
    if (others.length === 0) return [];
    return [
      `if ${table}.${column.name} was renamed to ${others.join(" or ")}, declare the rename ` +
        "instead: as it stands the column's content is lost",
    ];
  });
}
