/** Facts about an open file, for people who look after it: the `doctor` of the command line. */

import { statSync } from "node:fs";
import type { LogState } from "./checkpointer.ts";
import type { Connection } from "./connection.ts";
import { sqliteVersion } from "./engine.ts";
import { sizeOf } from "./files.ts";
import type { PoolStatistics } from "./pool.ts";
import type { Profile } from "./pragmas.ts";
import type { WriterStatistics } from "./writer-load.ts";

/** Settings in force on a connection, by name of the pragma. */
export type Settings = Readonly<Record<string, string | number>>;

/** What there is to know about an open file. */
export interface DatabaseFacts {
  readonly path: string;
  readonly sqliteVersion: string;
  readonly profile: Profile;
  readonly readOnly: boolean;
  /** Permissions as people write them: "600". */
  readonly permissions: string;
  readonly sizeBytes: number;
  /** Size of the log file; it keeps its greatest size until it is cut. */
  readonly walBytes: number;
  readonly pageSizeBytes: number;
  readonly pages: number;
  readonly freePages: number;
  readonly schemaVersion: number;
  readonly userVersion: number;
  readonly applicationId: number;
  /** Of the writer's connection; of a reader's when the file is open for reading only. */
  readonly settings: Settings;
  /** Pages in the log, and how many of them are in the file already. */
  readonly log: LogState;
  readonly tables: readonly string[];
  readonly triggers: readonly { readonly name: string; readonly table: string }[];
  readonly pool: PoolStatistics;
}

/** What changes while a file is in use. It costs some tens of microseconds and waits for nobody. */
export interface DatabaseVitals {
  readonly path: string;
  readonly readOnly: boolean;
  /** Whether the path still leads to the file that is open. */
  readonly isInPlace: boolean;
  readonly sizeBytes: number;
  /** Size of the log file; it keeps its greatest size until it is cut. */
  readonly walBytes: number;
  readonly pageSizeBytes: number;
  readonly pages: number;
  readonly freePages: number;
  /** Pages in the log, and how many of them are in the file already. */
  readonly log: LogState;
  readonly pool: PoolStatistics;
  readonly writer: WriterStatistics;
}

/** The part of the vitals that stands in the file. */
export type FileVitals = Pick<
  DatabaseVitals,
  "sizeBytes" | "walBytes" | "pageSizeBytes" | "pages" | "freePages" | "log"
>;

const SETTINGS = [
  "journal_mode",
  "synchronous",
  "foreign_keys",
  "busy_timeout",
  "journal_size_limit",
  "wal_autocheckpoint",
  "mmap_size",
  "cache_size",
  "temp_store",
  "trusted_schema",
  "query_only",
  "encoding",
];

/** The settings of a connection. */
export function readSettings(connection: Connection): Settings {
  return Object.fromEntries(
    SETTINGS.map((name) => {
      const [value] = connection.ask(`PRAGMA ${name}`);
      return [name, typeof value === "string" ? value : Number(value)];
    }),
  );
}

/** The facts that stand in the file, read on the main thread: the pragmas read single pages. */
export function readFacts(
  connection: Connection,
  path: string,
): Omit<DatabaseFacts, "path" | "profile" | "readOnly" | "settings" | "pool"> {
  const number = (pragma: string): number => numberOf(connection, pragma);
  const schema = connection.askAll(
    "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY name",
  );
  return {
    sqliteVersion: sqliteVersion(),
    permissions: (statSync(path).mode & 0o777).toString(8),
    ...readVitals(connection, path),
    schemaVersion: number("schema_version"),
    userVersion: number("user_version"),
    applicationId: number("application_id"),
    tables: schema.filter(([type]) => type === "table").map(([, name]) => String(name)),
    triggers: schema
      .filter(([type]) => type === "trigger")
      .map(([, name, table]) => ({ name: String(name), table: String(table) })),
  };
}

/** The vitals that stand in the file, read on the main thread: a few single pages. */
export function readVitals(connection: Connection, path: string): FileVitals {
  const [, frames, checkpointed] = connection.ask("PRAGMA wal_checkpoint(NOOP)");
  return {
    sizeBytes: sizeOf(path),
    walBytes: sizeOf(`${path}-wal`),
    pageSizeBytes: numberOf(connection, "page_size"),
    pages: numberOf(connection, "page_count"),
    freePages: numberOf(connection, "freelist_count"),
    log: { frames: Number(frames), checkpointed: Number(checkpointed) },
  };
}

function numberOf(connection: Connection, pragma: string): number {
  return Number(connection.ask(`PRAGMA ${pragma}`)[0]);
}
