/** What the main thread and the thread of an import say to each other, as plain data. */

import type { SqlValue } from "../../core/statement.ts";
import type { ImportReject } from "./options.ts";
import type { ImportFormat } from "./source.ts";

/** Rows of one table with one set of columns. */
export interface TableShape {
  readonly table: string;
  readonly columns: readonly string[];
  /** Columns that tell rows apart; empty when the database numbers the rows. */
  readonly key: readonly string[];
  /** Makes the table where a target that is there does not have it; undefined: it must. */
  readonly create?: string;
}

/** What is to be done. */
export interface LoadPlan {
  readonly target: string;
  /** The file in which rows are gathered. */
  readonly staging: string;
  /** Whether there was no target. */
  readonly isNew: boolean;
  readonly busyTimeoutMs: number;
  /** A hash of the files, the tables and the mapping: of what is imported. */
  readonly identity: string;
  /** The same with the schema of the staging file, which depends on the target too. */
  readonly stagingIdentity: string;
  /** SQL that makes the schema of a new file. */
  readonly statements: readonly string[];
  readonly shapes: readonly TableShape[];
  readonly rejectsFile: string;
  readonly rejectsMax: number;
}

/** How far an import has come; stands in the staging file. */
export interface LoadState {
  readonly identity: string;
  /** Number of the source file that is being read, and items of it that are done. */
  readonly source: number;
  readonly sourceItems: number;
  readonly items: number;
  readonly rejected: number;
  readonly rejectsBytes: number;
  readonly rejects: readonly ImportReject[];
  /** By shape. */
  readonly sums: readonly TableSum[];
  /** The folder with the copies, once they are whole. */
  readonly backup: string | undefined;
  /** Whether every item has been read. */
  readonly isLoaded: boolean;
}

/** Rows of a shape and the sum of their checksums, which does not depend on their order. */
export interface TableSum {
  readonly rows: number;
  readonly sum: number;
}

/** Items of one source file that follow each other. */
export interface Batch {
  readonly source: number;
  /** Items of the source that are done with this batch. */
  readonly sourceItems: number;
  /** Lines of the items that have rows. */
  readonly lines: readonly number[];
  readonly file: string;
  /** For each row its shape, its item in `lines`, its values. */
  readonly shapes: readonly number[];
  readonly owners: readonly number[];
  readonly rows: PackedRows;
  /** Items that the mapping has refused. */
  readonly rejects: readonly ImportReject[];
  /** All items of the batch. */
  readonly items: number;
}

/**
 * Rows on their way: as JSON, which is copied and read in half the time that a list of lists takes,
 * unless it has values that JSON does not have.
 */
export type PackedRows = string | readonly (readonly SqlValue[])[];

/** What became of a table. */
export interface LandedTable {
  readonly inserted: number;
  readonly updated: number;
}

/** A row that the database does not take. */
export interface RefusedRow {
  /** Number of its shape. */
  readonly shape: number;
  /** Its values, as `rowText` writes them. */
  readonly text: string;
  readonly reason: string;
}

/** What the last step has done, or the first of the rows for which nothing was done. */
export type Landing =
  | { readonly landed: readonly LandedTable[]; readonly refused?: undefined }
  | { readonly refused: readonly RefusedRow[] };

/** Requests of the main thread. */
export type LoadRequest =
  | { readonly kind: "hash"; readonly paths: readonly string[] }
  | { readonly kind: "columns"; readonly target: string; readonly table: string }
  | { readonly kind: "open"; readonly plan: LoadPlan; readonly again: boolean }
  | {
      readonly kind: "copy";
      readonly directory: string;
      readonly files: readonly CopiedFile[];
      readonly nowMs: number;
    }
  | { readonly kind: "load"; readonly batch: Batch }
  | { readonly kind: "loaded" }
  | { readonly kind: "verify" }
  | { readonly kind: "land"; readonly report: string; readonly nowMs: number }
  | { readonly kind: "rehearse" }
  | { readonly kind: "restart" }
  | { readonly kind: "discard" }
  | { readonly kind: "close" };

/** A file to copy, and its place in the folder of the copies. */
export interface CopiedFile {
  readonly path: string;
  readonly name: string;
  readonly hash: string;
  readonly cut: ImportFormat;
}

/** What `open` answers: where to go on, or the report of the import that was done before. */
export type Opened =
  | { readonly state: LoadState; readonly done?: undefined }
  | { readonly done: string };
