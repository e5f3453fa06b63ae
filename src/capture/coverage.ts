/**
 * What a file needs so that its log is whole: for each table the triggers that `log-triggers.ts`
 * makes for it as it is now, compared with those that stand there by their text.
 *
 * The newest trigger of a table fires first. It matters for those that come after a change: one of
 * somebody else that says RAISE(IGNORE) or RAISE(FAIL), or a statement in it that fails, ends what
 * follows and keeps the change, which the log would miss. So ours are made anew when any other
 * trigger of the table is newer. For those that come before a change the order does not matter: a
 * BEFORE trigger that writes lowers its table to `table` (see `capture-level.ts`), and one that
 * ends the statement has kept the row from changing as well. That the newest fires first is how
 * SQLite is made, not what it promises; `log-self-test.ts` proves it for the one that runs.
 *
 * A trigger in the TEMP schema of somebody else's connection fires before any of ours, and nothing
 * in the file tells of it; with RAISE(IGNORE) or RAISE(FAIL) it can hide a change.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { type Capture, captureOf } from "./capture-level.ts";
import {
  addShape,
  createLog,
  isLogName,
  logTable,
  logWidth,
  type Shape,
  widenLog,
} from "./log-tables.ts";
import { identityOf, logTriggers } from "./log-triggers.ts";
import type { FileTable, FileTables } from "./table-structure.ts";
import type { FileTrigger } from "./trigger-text.ts";

/** How one table is logged. */
export interface TableCoverage {
  readonly table: FileTable;
  readonly capture: Capture;
  readonly shape: Shape;
  /** Whether all its triggers stand there as they must; no statement is about it then. */
  readonly isInPlace: boolean;
}

/** What is to be done, and what holds after it. */
export interface Coverage {
  /** Whether the file has a log at all. */
  readonly hasLog: boolean;
  /**
   * To be run in the write transaction in which the file was looked at, in this order; none when
   * all is well. Each table whose triggers are made is said to have changed.
   */
  readonly statements: readonly string[];
  readonly tables: readonly TableCoverage[];
}

/** What the self-test needs: two rows of two columns. */
const WIDTH_MIN = 4;

/** Compares the file with what the log needs; `known` are the shapes of its log, if it has one. */
export function coverageOf(file: FileTables, known: readonly Shape[]): Coverage {
  const shapes = file.logWidth === undefined ? [] : known;
  let nextShape = Math.max(0, ...shapes.map(({ id }) => id)) + 1;
  const made: Shape[] = [];
  const entries = file.tables.map((table): Omit<TableCoverage, "isInPlace"> => {
    const capture = captureOf(table, file);
    const wanted = shapeOf(table, capture);
    const former = shapes.findLast((shape) => isSameShape(shape, wanted));
    const shape = former ?? { ...wanted, id: nextShape++ };
    if (former === undefined) made.push(shape);
    return { table, capture, shape };
  });
  const changes = entries.map((entry) => triggerChanges(entry, file.triggers));
  const width = Math.max(WIDTH_MIN, ...entries.map(({ shape }) => logWidth(shape.columns.length)));
  const wanted = new Set(changes.flatMap(({ names }) => names));
  const stale = file.triggers.filter(({ name }) => isLogName(name) && !wanted.has(name));
  return {
    hasLog: file.logWidth !== undefined,
    statements: [
      ...(file.logWidth === undefined ? createLog(width) : widenLog(file.logWidth, width)),
      ...made.map(addShape),
      ...stale.map(dropTrigger),
      ...changes.flatMap(({ statements }) => statements),
    ],
    tables: entries.map((entry, index) => ({
      ...entry,
      isInPlace: changes[index]?.statements.length === 0,
    })),
  };
}

function shapeOf(table: FileTable, { level }: Capture): Omit<Shape, "id"> {
  const name = lowerAscii(table.name);
  if (level === "table") return { table: name, columns: [], identity: undefined };
  const columns = table.columns.map((column) => lowerAscii(column.name));
  return { table: name, columns, identity: identityOf(table) };
}

function isSameShape(a: Shape, b: Omit<Shape, "id">): boolean {
  const text = (shape: Omit<Shape, "id">): string =>
    JSON.stringify([shape.table, shape.columns, shape.identity ?? null]);
  return text(a) === text(b);
}

interface TriggerChanges {
  /** Of all triggers that the table needs. */
  readonly names: readonly string[];
  readonly statements: readonly string[];
}

/** Ours of one table: all of them stay, or all of them are made anew. */
function triggerChanges(
  { table, capture, shape }: Omit<TableCoverage, "isInPlace">,
  triggers: readonly FileTrigger[],
): TriggerChanges {
  const wanted = logTriggers(table, capture, shape.id);
  const names = wanted.map(({ name }) => name);
  const present = triggers.filter(({ name }) => names.includes(name));
  const oldest = triggers.findIndex(({ name }) => names.includes(name));
  const isNewest = triggers.slice(oldest).every((trigger) => {
    return isLogName(trigger.name) || !isOn(trigger, table);
  });
  const isWhole = wanted.every(({ name, sql }) => {
    return present.some((trigger) => trigger.name === name && trigger.sql === sql);
  });
  if (isWhole && isNewest) return { names, statements: [] };
  const made = wanted.map(({ sql }) => sql);
  return { names, statements: [...present.map(dropTrigger), ...made, logTable(shape.id)] };
}

function isOn({ table }: FileTrigger, { name }: FileTable): boolean {
  return lowerAscii(table) === lowerAscii(name);
}

function dropTrigger({ name }: Pick<FileTrigger, "name">): string {
  return `DROP TRIGGER ${quoteIdentifier(name)}`;
}
