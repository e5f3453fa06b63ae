/** `importTable`: JSON or CSV into one table, whose columns follow from the data or the target. */

import { existsSync } from "node:fs";
import { SpringhouseError } from "../../core/errors.ts";
import { lowerAscii } from "../../core/lower-ascii.ts";
import { runImport } from "./import.ts";
import {
  createInferred,
  type InferredColumn,
  type InferredTable,
  type InferredType,
  inferTable,
} from "./infer.ts";
import { type ImportReport, type ImportSettings, resolveSettings } from "./options.ts";
import type { TableShape } from "./plan.ts";
import type { ReadableFile, RunMapping } from "./run.ts";
import type { ImportThread } from "./thread.ts";
import { ValueEncoder } from "./value-encoder.ts";

/** For `importTable`. */
export interface ImportTableOptions extends ImportSettings {
  /** The table; it is made when there is none. */
  readonly table: string;
  /**
   * Columns that tell rows apart: a row whose key is there already is updated. Default: the primary
   * key of a table that is there; else "id", "key" or "uuid" when the sample has it in every item
   * and never twice; else none, and rows are added.
   */
  readonly key?: readonly string[];
  /** Items that are looked at to find the columns, at least 1. Default: 1,000. */
  readonly sampleItems?: number;
}

/** What `importTable` did. */
export interface ImportTableReport extends ImportReport {
  /** What the sample has shown. */
  readonly inferred: InferredTable;
}

/** A column of a table of the target. */
interface TargetColumn {
  readonly name: string;
  readonly type: string;
  readonly key: number;
}

/**
 * Imports files into one table. The columns are found by looking at a sample; what does not fit
 * them is a reject. Otherwise as `importFiles`.
 *
 * @throws as `importFiles`; `INVALID_ARGUMENT` for what is no name of a table or no sample;
 *   `SCHEMA_MISMATCH` when the table is there and lacks columns.
 * @example await importTable({ target: "app.db", sources: "people.csv", table: "people" });
 */
export async function importTable(options: ImportTableOptions): Promise<ImportTableReport> {
  const settings = resolveSettings(options, ["table", "key", "sampleItems"]);
  const { table, sampleItems = 1_000 } = options;
  refuseName(table);
  if (!Number.isSafeInteger(sampleItems) || sampleItems < 1) {
    const message =
      `importTable: sampleItems: ${String(sampleItems)} cannot be used: the columns are found by ` +
      "looking at items. Give a whole number of at least 1.";
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: "sampleItems" } });
  }
  let inferred: InferredTable | undefined;
  const report = await runImport(settings, async (thread, files) => {
    inferred = withKey(await inferTable(files, table, sampleItems), options.key);
    return mappingOf(inferred, await columnsOf(thread, settings.target, table), files, options.key);
  });
  return { ...report, inferred: inferred as unknown as InferredTable };
}

/** @throws `INVALID_ARGUMENT` for what no table can be called. */
function refuseName(table: unknown): void {
  const problem =
    typeof table !== "string" || table === ""
      ? "it is no text, or an empty one"
      : /["\0]/.test(table)
        ? 'it holds a quote (") or "\\u0000"'
        : /^sqlite_/i.test(table)
          ? 'names that begin with "sqlite_" are SQLite\'s own'
          : undefined;
  if (problem === undefined) return;
  const message = `importTable: table: ${JSON.stringify(table)} is no name of a table: ${problem}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: "table" } });
}

async function columnsOf(
  thread: ImportThread,
  target: string,
  table: string,
): Promise<readonly TargetColumn[] | undefined> {
  if (!existsSync(target)) return undefined;
  return thread.request({ kind: "columns", target, table });
}

function withKey(inferred: InferredTable, key: readonly string[] | undefined): InferredTable {
  if (key === undefined) return inferred;
  const names = inferred.columns.map(({ name }) => name);
  const unknown = key.find((name) => !names.includes(name));
  if (unknown === undefined) return { ...inferred, key };
  const message = `key: the items have no "${unknown}". They have: ${names.join(", ")}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: unknown } });
}

function mappingOf(
  inferred: InferredTable,
  there: readonly TargetColumn[] | undefined,
  files: readonly ReadableFile[],
  key: readonly string[] | undefined,
): RunMapping {
  const { table } = inferred;
  const isText = files.some(({ cut }) => cut === "csv");
  if (isText && files.some(({ cut }) => cut !== "csv")) {
    const message = "CSV and JSON hold values of other types. Import them one after the other.";
    throw new SpringhouseError("INVALID_ARGUMENT", message);
  }
  const columns = there === undefined ? inferred.columns : columnsFor(inferred, there);
  const names = columns.map(({ name }) => name);
  const primary = (there ?? []).filter((column) => column.key > 0).map(({ name }) => name);
  // A primary key that the items do not have is numbered by the database.
  const known = primary.every((name) => names.includes(name)) ? primary : [];
  const create = createInferred(inferred);
  const shape: TableShape = {
    table,
    columns: names,
    key: there === undefined ? inferred.key : (key ?? known),
    ...(there === undefined && { create }),
  };
  return {
    encoder: new ValueEncoder(shape, columns, isText),
    map: ({ value }) => ({ [table]: value }),
    finish: undefined,
    statements: [create],
    text: "",
  };
}

/** The columns of the items with the types that the target declares. */
function columnsFor(
  { table, columns }: InferredTable,
  there: readonly TargetColumn[],
): readonly Pick<InferredColumn, "name" | "type">[] {
  const types = new Map(there.map(({ name, type }) => [lowerAscii(name), type]));
  const missing = columns.filter(({ name }) => !types.has(lowerAscii(name)));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    throw new SpringhouseError(
      "SCHEMA_MISMATCH",
      `The table "${table}" has no ${names.join(", ")}. Add the columns, or give a mapping.`,
      { fields: { table, missing: names } },
    );
  }
  return columns.map(({ name, type }) => ({
    name,
    type: storedType(type, types.get(lowerAscii(name)) ?? ""),
  }));
}

function storedType(found: InferredType, declared: string): InferredType {
  const upper = declared.toUpperCase();
  if (upper.includes("INT")) return found === "boolean" ? "boolean" : "integer";
  if (/REAL|FLOA|DOUB/.test(upper)) return "real";
  if (/CHAR|CLOB|TEXT/.test(upper)) return found === "json" ? "json" : "text";
  return found === "json" ? "json" : "any";
}
