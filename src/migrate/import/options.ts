/** What an import is told, and what it answers. */

import { dirname, join, resolve } from "node:path";
import { assertSignal } from "../../core/abort.ts";
import { assertFunction } from "../../core/arguments.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import type { Catalog } from "../../schema/catalog.ts";
import type { Entity, InsertOf } from "../../schema/types.ts";
import type { ImportSource } from "./source.ts";

/** What a mapping is given: one document, line or record, and where it stands. */
export interface ImportItem {
  /** The parsed JSON; of CSV an object of texts by the names of the header. */
  readonly value: unknown;
  /** The name of the source. */
  readonly source: string;
  /** The path of the file below the folder that was named as source, with forward slashes. */
  readonly file: string;
  /** Line on which it begins; the first is 1. */
  readonly line: number;
  /** Place in its list, or name in its object; undefined for lines, records and whole files. */
  readonly key: number | string | undefined;
  /** Ends the mapping of this item, which goes to the rejects with the reason. */
  reject(reason: string): never;
}

/** Entities by the names under which a mapping gives rows for them. */
export type ImportTables = Readonly<Record<string, Entity>>;

/** Rows for several tables; what one item gives is imported whole or not at all. */
export type ImportRows<Tables extends ImportTables> = {
  readonly [Name in keyof Tables]?: InsertOf<Tables[Name]> | readonly InsertOf<Tables[Name]>[];
};

/** What is to be imported into which tables, apart from where. */
export interface ImportMapping<Tables extends ImportTables> {
  /** Entities by the names under which `map` gives rows for them. */
  readonly tables: Tables;
  /**
   * The rows of an item; undefined leaves it out. What it throws makes the item a reject. It must
   * depend on the item alone, for after an interruption it goes on with the next one.
   */
  readonly map: (
    item: ImportItem,
  ) => ImportRows<Tables> | undefined | Promise<ImportRows<Tables> | undefined>;
  /** Rows that are written after those of the last item. Default: none. */
  readonly finish?: () => ImportRows<Tables>;
  /**
   * By name: properties that tell rows apart, where that is not the primary key. They must be
   * unique. A row whose key is there already is updated. Default: the primary key.
   */
  readonly keys?: { readonly [Name in keyof Tables]?: readonly string[] };
  /** Everything that a new file is to hold. Default: the tables. */
  readonly catalog?: Catalog;
  /** SQL that is run on a new file behind its schema, such as that of views. Default: none. */
  readonly statements?: readonly string[];
}

/** How to import. */
export interface ImportSettings {
  /** The database file. It is made when there is none. */
  readonly target: string;
  /** What is read, in this order. */
  readonly sources: string | ImportSource | readonly (string | ImportSource)[];
  /**
   * The folder in which `migration-YYYYMMDD-HHMMSS` is made with copies of all files, before
   * anything is read; false makes none. Default: "backups" beside the target.
   */
  readonly backupDirectory?: string | false;
  /** Where rejected items are listed, one JSON object a line. Default: beside the target. */
  readonly rejectsFile?: string;
  /** More rejects end the import, with nothing written. Default: 1,000. */
  readonly rejectsMax?: number;
  /** Tries the last step and takes it back, and leaves no copies. Default: false. */
  readonly dryRun?: boolean;
  /** Imports what was imported before and has not changed since. Default: false. */
  readonly again?: boolean;
  /** How long other writers of the target are waited for, milliseconds. Default: 30,000. */
  readonly busyTimeoutMs?: number;
  /** Gives up; the next import of the same goes on from there. Default: none. */
  readonly signal?: AbortSignal;
  /** Told how far it is, many times a second. Default: none. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Names the folder of the copies. Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** For `importFiles`. */
export interface ImportOptions<Tables extends ImportTables>
  extends ImportSettings,
    ImportMapping<Tables> {}

/** How far an import is. */
export interface ImportProgress {
  readonly phase: "copy" | "land" | "read" | "verify";
  /** Bytes of the source files that were read. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Items read so far, rejected ones among them. */
  readonly items: number;
  readonly rejected: number;
}

/** What became of one table. */
export interface ImportedTable {
  /** Name in SQL. */
  readonly table: string;
  /** Rows that the items gave, equal ones with the same key counted once. */
  readonly rows: number;
  /** Of these: new in the target, changed there, and there already with the same values. */
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Hash of the contents as they were given; those that were stored have the same. */
  readonly hash: string;
}

/** What an import did. */
export interface ImportReport {
  /**
   * `imported`; `rehearsed` by a dry run; `unchanged` when the same was imported before, and
   * nothing was done.
   */
  readonly status: "imported" | "rehearsed" | "unchanged";
  readonly target: string;
  /** Whether the file was made. */
  readonly isNew: boolean;
  /** Items that an earlier, interrupted run had done. */
  readonly resumedItems: number;
  readonly items: number;
  readonly rejected: number;
  /** The first rejects; all are in the file. */
  readonly rejects: readonly ImportReject[];
  /** The list of rejects; undefined when there are none. */
  readonly rejectsFile: string | undefined;
  readonly tables: readonly ImportedTable[];
  /** The folder with the copies; undefined when none were made. */
  readonly backup: string | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly ms: number;
}

/** An item that was not imported. */
export interface ImportReject {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** Settings with nothing left open. */
export interface ResolvedSettings {
  readonly target: string;
  readonly sources: readonly ImportSource[];
  readonly backupDirectory: string | undefined;
  readonly rejectsFile: string;
  readonly rejectsMax: number;
  readonly dryRun: boolean;
  readonly again: boolean;
  readonly busyTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: ImportProgress) => void;
  readonly clock: Clock;
}

/** The names of the settings, for what adds its own. */
const SETTINGS: readonly string[] = [
  "target",
  "sources",
  "backupDirectory",
  "rejectsFile",
  "rejectsMax",
  "dryRun",
  "again",
  "busyTimeoutMs",
  "signal",
  "onProgress",
  "clock",
];

/**
 * Fills the defaults.
 *
 * @param more names of options that are not settings.
 * @throws `INVALID_ARGUMENT` for an unknown option or a value that cannot be used.
 */
export function resolveSettings(
  options: ImportSettings,
  more: readonly string[],
): ResolvedSettings {
  refuseUnknownKeys(options, [...SETTINGS, ...more], "importFiles");
  const { target, sources, signal, onProgress } = options;
  if (typeof target !== "string" || target === "") {
    throw invalid("target", target, "Give the path of a database file.");
  }
  assertSignal(signal);
  if (onProgress !== undefined) assertFunction("onProgress", onProgress);
  const path = resolve(target);
  const { backupDirectory = join(dirname(path), "backups") } = options;
  const list = Array.isArray(sources) ? sources : [sources];
  return {
    target: path,
    sources: list.map((source: string | ImportSource) =>
      typeof source === "string" ? { path: source } : source,
    ),
    backupDirectory: backupDirectory === false ? undefined : resolve(backupDirectory),
    rejectsFile: resolve(options.rejectsFile ?? `${path}.rejects.ndjson`),
    rejectsMax: countOf("rejectsMax", options.rejectsMax ?? 1_000),
    dryRun: options.dryRun === true,
    again: options.again === true,
    busyTimeoutMs: countOf("busyTimeoutMs", options.busyTimeoutMs ?? 30_000),
    signal,
    onProgress: onProgress ?? (() => undefined),
    clock: options.clock ?? systemClock,
  };
}

function countOf(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(name, value, "Give a whole number of at least 0.");
}

function invalid(name: string, value: unknown, advice: string): SpringhouseError {
  const message = `importFiles: ${name}: ${String(value)} cannot be used. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}
