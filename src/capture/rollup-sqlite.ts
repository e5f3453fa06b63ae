/**
 * The triggers of rollups on SQLite. A row that comes is added to its group, one that goes is taken
 * from it, and one that changes is both, unless it stays in its group: then the difference is
 * added. All of that commutes, so the order of triggers does not matter. A group without rows goes.
 *
 * Rows that REPLACE deletes are noted before (`replaced-rows.ts`), with their own column names, and
 * touching a note takes its row from the groups: a trigger on the notes does what the one for
 * deletions does, row by row.
 *
 * Nothing here can fail a write: no constraint is checked, and no number overflows.
 */

import { physicalColumn } from "../schema/ddl-columns.ts";
import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { sqliteTrigger } from "../schema/trigger.ts";
import { forget, hasNotes, isGone, isReplaced, type Notes, noteTriggers } from "./replaced-rows.ts";
import {
  allOf,
  collate,
  type Distinct,
  keyColumns,
  keyValues,
  namesOf,
  ROWS,
  type RollupPlan,
  rowCondition,
  sameKey,
  VALUE,
} from "./rollup-plan.ts";

/**
 * The notes on rows of a source, and the triggers that settle them. Where foreign keys do not lead
 * from the source back to it, replaced rows take no others of it along, and notes are settled by
 * the very write that took them.
 */
export function replacedRows(
  source: EntityFacts,
  plans: readonly RollupPlan[],
  refersToItself: boolean,
): readonly PhysicalObject[] {
  const notes = notesOf(source, plans);
  const { beforeInsert, beforeUpdate, beforeDelete, onUnique } = noteTriggers(notes);
  const key = quoteIdentifier(source.primaryKey[0]?.name ?? "");
  const isKeyMoved = source.primaryKey
    .map(({ name }) => `OLD.${quoteIdentifier(name)} IS NOT NEW.${quoteIdentifier(name)}`)
    .join(" OR ");
  const settle = (suffix: string, event: string, condition: string): PhysicalObject =>
    sqliteTrigger({
      name: `${notes.prefix}${suffix}`,
      table: source.table,
      event,
      when: hasNotes(notes),
      statements: [
        `UPDATE ${notes.table} SET ${key} = ${key} WHERE ${condition}`,
        `${forget(notes)} AND (${condition})`,
      ],
    });
  return [
    notesTable(source, plans),
    beforeInsert,
    settle("insert", "AFTER INSERT", isReplaced(notes, "1")),
    beforeUpdate,
    settle(
      "update",
      refersToItself ? "AFTER UPDATE" : `AFTER UPDATE OF ${onUnique}`,
      isReplaced(notes, isKeyMoved),
    ),
    beforeDelete,
    ...(refersToItself ? [settle("delete", "AFTER DELETE", isGone(notes))] : []),
  ];
}

/** The table of the notes on rows of a source, without quotes. */
export function notesTableName(source: string): string {
  return `springhouse_replaced_${source}`;
}

/** The triggers of one rollup. */
export function rollupTriggers(plan: RollupPlan): readonly PhysicalObject[] {
  const { source, rollup, conditionColumns } = plan;
  const when = (row: string): object => {
    const condition = rowCondition(plan, row);
    return condition === undefined ? {} : { when: condition };
  };
  const trigger = (suffix: string, event: string, rest: object, table = source.table) =>
    sqliteTrigger({
      name: `${plan.table}.${suffix}`,
      table,
      event,
      statements: [],
      ...rest,
    });
  const moving = [
    ...rollup.groups.flatMap(({ column }) => (column === undefined ? [] : [column])),
    ...conditionColumns,
  ];
  const changing = storedColumns(plan);
  return [
    trigger("insert", "AFTER INSERT", { ...when("NEW."), statements: add(plan, "NEW.") }),
    trigger("delete", "AFTER DELETE", { ...when("OLD."), statements: subtract(plan, "OLD.") }),
    trigger(
      "replaced",
      "AFTER UPDATE",
      { ...when("OLD."), statements: subtract(plan, "OLD.") },
      notesTableName(source.table),
    ),
    ...(moving.length === 0
      ? []
      : [
          trigger("move", `AFTER UPDATE OF ${namesOf([...new Set(moving)])}`, {
            when: `NOT (${staysInGroup(plan)})`,
            statements: [
              ...subtract(plan, "OLD.", rowCondition(plan, "OLD.")),
              ...add(plan, "NEW.", rowCondition(plan, "NEW.")),
            ],
          }),
        ]),
    ...(changing.length === 0
      ? []
      : [
          trigger("update", `AFTER UPDATE OF ${namesOf(changing)}`, {
            when: allOf(`(${changing.map(differs).join(" OR ")})`, staysInGroup(plan)),
            statements: change(plan),
          }),
        ]),
  ];
}

/** Columns whose values are in the counters. */
function storedColumns({ counters, distincts }: RollupPlan): readonly ColumnFacts[] {
  const stored = [...counters, ...distincts].flatMap(({ column }) => column ?? []);
  return [...new Set(stored)];
}

function differs(column: ColumnFacts): string {
  const name = quoteIdentifier(column.name);
  return `OLD.${name} IS NOT NEW.${name}${collate({ column, collation: "binary" })}`;
}

/** Whether an updated row counts before and after, and in the same group. */
function staysInGroup(plan: RollupPlan): string {
  const key = keyValues(plan, "OLD.").length === 0 ? undefined : sameRowKeys(plan);
  return allOf(key, truth(rowCondition(plan, "OLD.")), truth(rowCondition(plan, "NEW.")));
}

function sameRowKeys(plan: RollupPlan): string {
  return sameKey(plan, keyValues(plan, "OLD."), keyValues(plan, "NEW."));
}

/** A condition as 1 or 0: under NOT, what is unknown must not stay unknown. */
function truth(condition: string | undefined): string | undefined {
  return condition === undefined ? undefined : `${condition} IS TRUE`;
}

/** Adds a row to its group, which comes with its first row. */
function add(plan: RollupPlan, row: string, condition?: string): readonly string[] {
  const { table, counters, distincts } = plan;
  const keys = keyColumns(plan);
  const all = distincts.map(({ name }) => name);
  const into = quoteIdentifier(table);
  const columns = [...keys, ...counters.map(({ name }) => name), ...all].join(", ");
  const values = [
    ...keyValues(plan, row),
    ...counters.map(({ of }) => of(row)),
    ...all.map(() => "0"),
  ].join(", ");
  const insert = `INSERT INTO ${into} (${columns}) SELECT ${values}`;
  const plus = counters.map(({ name, of }) => `${name} = ${name} + ${of(row)}`).join(", ");
  const where = allOf(sameKey(plan, keys, keyValues(plan, row)), condition);
  return [
    `UPDATE ${into} SET ${plus} WHERE ${where}`,
    `${insert} WHERE ${allOf("changes() = 0", condition)}`,
    ...distincts.flatMap((entry) => addValue(plan, entry, row, condition)),
  ];
}

/** Takes a row from its group. */
function subtract(plan: RollupPlan, row: string, condition?: string): readonly string[] {
  const { table, counters, distincts } = plan;
  const into = quoteIdentifier(table);
  const minus = counters.map(({ name, of }) => `${name} = ${name} - ${of(row)}`).join(", ");
  const where = allOf(sameKey(plan, keyColumns(plan), keyValues(plan, row)), condition);
  return [
    ...distincts.flatMap((entry) => subtractValue(plan, entry, row, condition)),
    `UPDATE ${into} SET ${minus} WHERE ${where}`,
    `DELETE FROM ${into} WHERE ${allOf(where, `${ROWS} <= 0`)}`,
  ];
}

/** A row that stays in its group. */
function change(plan: RollupPlan): readonly string[] {
  const { table, distincts } = plan;
  const counters = plan.counters.filter(({ column }) => column !== undefined);
  const differences = counters.map(
    ({ name, of }) => `${name} = ${name} + ${of("NEW.")} - ${of("OLD.")}`,
  );
  const where = sameKey(plan, keyColumns(plan), keyValues(plan, "NEW."));
  const update = `UPDATE ${quoteIdentifier(table)} SET ${differences.join(", ")} WHERE ${where}`;
  return [
    ...(counters.length === 0 ? [] : [update]),
    ...distincts.flatMap((entry) => [
      ...subtractValue(plan, entry, "OLD."),
      ...addValue(plan, entry, "NEW."),
    ]),
  ];
}

/** One more row with this value; a value that comes first counts in the group. */
function addValue(
  plan: RollupPlan,
  distinct: Distinct,
  row: string,
  condition?: string,
): readonly string[] {
  const { value, into, isValue, hasValue, count } = valueParts(plan, distinct, row);
  const columns = [...keyColumns(plan), VALUE, ROWS].join(", ");
  const values = [...keyValues(plan, row), value, "1"].join(", ");
  return [
    `UPDATE ${into} SET ${ROWS} = ${ROWS} + 1 WHERE ${allOf(isValue, hasValue, condition)}`,
    `INSERT INTO ${into} (${columns}) SELECT ${values} ` +
      `WHERE ${allOf("changes() = 0", hasValue, condition)}`,
    count("+"),
  ];
}

/** One row less with this value; one that was the last counts no longer. */
function subtractValue(
  plan: RollupPlan,
  distinct: Distinct,
  row: string,
  condition?: string,
): readonly string[] {
  const { into, isValue, hasValue, count } = valueParts(plan, distinct, row);
  const where = allOf(isValue, hasValue, condition);
  return [
    `UPDATE ${into} SET ${ROWS} = ${ROWS} - 1 WHERE ${where}`,
    `DELETE FROM ${into} WHERE ${allOf(where, `${ROWS} <= 0`)}`,
    count("-"),
  ];
}

interface ValueParts {
  readonly value: string;
  /** The table of values. */
  readonly into: string;
  /** Whether a row of it is the one of this value. */
  readonly isValue: string;
  readonly hasValue: string | undefined;
  /** Counts in the group the value that the statement before has brought or taken. */
  readonly count: (sign: "+" | "-") => string;
}

function valueParts(plan: RollupPlan, { name, column, table }: Distinct, row: string): ValueParts {
  const value = `${row}${quoteIdentifier(column.name)}`;
  const own = sameKey(plan, keyColumns(plan), keyValues(plan, row));
  return {
    value,
    into: quoteIdentifier(table),
    // The column has the collation of the values.
    isValue: `${own} AND ${VALUE} = ${value}`,
    hasValue: column.nullable ? `${value} IS NOT NULL` : undefined,
    count: (sign) =>
      `UPDATE ${quoteIdentifier(plan.table)} SET ${name} = ${name} ${sign} 1 ` +
      `WHERE ${own} AND changes() = 1`,
  };
}

/** What the triggers read of a row. */
function notedColumns(source: EntityFacts, plans: readonly RollupPlan[]): readonly ColumnFacts[] {
  const used = plans.flatMap((plan) => [
    ...plan.rollup.groups.flatMap(({ column }) => column ?? []),
    ...plan.conditionColumns,
    ...storedColumns(plan),
  ]);
  return source.columns.filter((column) => column.primaryKey || used.includes(column));
}

function notesOf(source: EntityFacts, plans: readonly RollupPlan[]): Notes {
  const table = quoteIdentifier(notesTableName(source.table));
  const names = source.primaryKey.map(({ name }) => quoteIdentifier(name));
  const content = notedColumns(source, plans).map(({ name }) => `"other".${quoteIdentifier(name)}`);
  return {
    facts: source,
    prefix: `${notesTableName(source.table)}.`,
    table,
    own: "TRUE",
    content: content.join(", "),
    isOn: (row) => names.map((name) => `${table}.${name} = ${row}.${name}`).join(" AND "),
    isOther: names.map((name) => `"other".${name} = ${table}.${name}`).join(" AND "),
  };
}

function notesTable(source: EntityFacts, plans: readonly RollupPlan[]): PhysicalObject {
  const name = notesTableName(source.table);
  const columns = notedColumns(source, plans).map((column) => {
    const { type } = physicalColumn(source.table, column, "sqlite");
    return `${quoteIdentifier(column.name)} ${type}`;
  });
  const lines = [...columns, `PRIMARY KEY (${namesOf(source.primaryKey)})`];
  const sql = `CREATE TABLE ${quoteIdentifier(name)} (\n  ${lines.join(",\n  ")}\n)`;
  return { kind: "table", name, table: source.table, sql };
}
