/** What `doctor` says about the log of changes: which tables it covers, and how exactly. */

import type { Coverage, TableCoverage } from "../capture/coverage.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { Check } from "./doctor-checks.ts";
import { formatTable } from "./table.ts";

/** How the changes of one table are logged, or would be. */
export interface LoggedTable {
  readonly table: string;
  /** Each row with its values; only that something has changed; not at all. */
  readonly level: "rows" | "table" | "none";
  /** Why not by row. */
  readonly reason?: string;
  /** Whether the triggers that do it stand in the file as they must. */
  readonly inPlace: boolean;
}

/** The line of the report, and the table below it. */
export interface LogReport {
  readonly check: Check;
  readonly tables: readonly LoggedTable[];
}

const VIRTUAL_TABLES = `SELECT name FROM pragma_table_list
  WHERE schema = 'main' AND type = 'virtual' ORDER BY name`;
const UTF16 = "the file is in UTF-16, so conditions on the order of texts count as met";
const VIRTUAL = "it is a virtual table, which can have no triggers";

/** Looks at the file in one snapshot, and changes nothing. */
export async function examineLog(store: SqliteStore): Promise<LogReport> {
  const { coverageIn } = await import("../coherence/coverage-in.ts");
  return await store.snapshot(async (snapshot) => {
    const coverage = await coverageIn(snapshot);
    const virtual = await snapshot.read({ sql: VIRTUAL_TABLES, parameters: [] });
    const tables = [
      ...coverage.tables.map(toLoggedTable),
      ...virtual.rows.map(([name]) => unlogged(String(name))),
    ].toSorted((a, b) => a.table.localeCompare(b.table, "en"));
    const check = checkLogging(coverage, tables);
    const isUtf16 = coverage.tables.some(({ table }) => table.isUtf16);
    return { check: isUtf16 ? { ...check, found: `${check.found}; ${UTF16}` } : check, tables };
  });
}

function toLoggedTable({ table, capture, isInPlace }: TableCoverage): LoggedTable {
  const { level } = capture;
  const reason = level === "table" ? { reason: capture.reason } : {};
  return { table: table.name, level, ...reason, inPlace: isInPlace };
}

function unlogged(table: string): LoggedTable {
  return { table, level: "none", reason: VIRTUAL, inPlace: true };
}

function checkLogging({ hasLog }: Coverage, tables: readonly LoggedTable[]): Check {
  const name = "change log";
  if (!hasLog) {
    return { name, status: "ok", found: "none yet: the first cached read makes it" };
  }
  const count = (level: LoggedTable["level"]): number =>
    tables.filter((entry) => entry.level === level).length;
  const broken = tables.filter(({ inPlace }) => !inPlace).map(({ table }) => table);
  if (broken.length === 0) {
    const found = `${count("rows")} by row, ${count("table")} as a whole, ${count("none")} not`;
    return { name, status: "ok", found: `tables: ${found}` };
  }
  return {
    name,
    status: "warn",
    found: `triggers are missing or altered: ${broken.join(", ")}`,
    advice:
      "The next cached read of a program that may write puts them back, and drops what " +
      "it has kept. Let one run; until then changes of these tables are not logged.",
  };
}

/** The tables for people. */
export function renderLog(tables: readonly LoggedTable[]): string {
  return formatTable(
    [{ title: "table" }, { title: "changes are logged" }],
    tables.map((entry) => [entry.table, describe(entry)]),
  );
}

const LEVELS = { rows: "by row", table: "as a whole", none: "not: no result is kept" } as const;

function describe({ level, reason, inPlace }: LoggedTable): string {
  const state = inPlace ? "" : " (once its triggers are there)";
  return `${LEVELS[level]}${state}${reason === undefined ? "" : `, since ${reason}`}`;
}
