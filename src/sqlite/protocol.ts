/**
 * What the main thread and its worker threads say to each other: numbered requests and one reply
 * to each, in order. A result that is large stays in the thread behind a cursor, and the main
 * thread fetches it chunk by chunk, so no message is ever large.
 */

import type { MessagePort } from "node:worker_threads";
import type { Expectation, Expecting } from "../change/expectation.ts";
import type { LogTrouble } from "./checkpointer.ts";
import type { WireError } from "./errors.ts";
import type { Profile } from "./pragmas.ts";
import type { ResultColumn, Row, SqlValue, Statement } from "./values.ts";

/** Rows in one message; copying 500 rows takes well under a millisecond. */
export const CHUNK_ROWS = 500;

/** What the thread of a file needs to know. */
export interface FileData {
  /** A path, or a `file:` URI for a file that cannot change. */
  readonly path: string;
  readonly profile: Profile;
  readonly busyTimeoutMs: number;
  /** The page cache of a connection; undefined for the usual one. */
  readonly cacheSizeBytes?: number | undefined;
  /** Which file the path led to when it was opened (`file-watch.ts`), once that is known. */
  readonly key?: string | undefined;
  /** What the writer shares with its thread (`claims.ts`). */
  readonly claims?: SharedArrayBuffer;
  /** Where the writer's thread says that it commits (`commit-counters.ts`). */
  readonly commits?: SharedArrayBuffer;
}

/** What a thread is started with. */
export interface ThreadData extends FileData {
  readonly port: MessagePort;
}

/** A result, or its beginning when `cursor` names what is left in the thread. */
export interface WireResult {
  readonly columns: readonly ResultColumn[];
  readonly rows: Row[];
  readonly changes: number;
  /** Time in SQLite, milliseconds. */
  readonly ms: number;
  readonly cursor?: number;
}

/** More rows of a result; `done` when there are none left. */
export interface WireChunk {
  readonly rows: Row[];
  readonly done: boolean;
  readonly ms: number;
}

/** What rows of a bulk write did. */
export interface WireChanges {
  readonly changes: number;
  readonly ms: number;
}

/** The units of a group: each statement is the number of its text, and its values. */
export interface WireGroup {
  readonly texts: readonly string[];
  readonly units: readonly (readonly (readonly [text: number, values: readonly SqlValue[]])[])[];
  /** What units expect, by their number; absent when none expects anything. */
  readonly expects?: ReadonlyMap<number, readonly Expectation[]>;
}

/** What any thread understands. */
export type CommonRequest =
  | { readonly kind: "open" }
  | { readonly kind: "query"; readonly statement: Statement; readonly chunkRows: number }
  | { readonly kind: "fetch"; readonly cursor: number; readonly chunkRows: number }
  | { readonly kind: "dismiss"; readonly cursor: number }
  | { readonly kind: "close" };

/** What a reader thread understands. */
export type ReaderRequest =
  | CommonRequest
  /** Takes a snapshot for the queries that follow. */
  | { readonly kind: "snapshot" }
  /** Ends all reads and the snapshot. */
  | { readonly kind: "reset" };

/** What the writer thread understands. */
export type WriterRequest =
  | CommonRequest
  | { readonly kind: "check" }
  | { readonly kind: "settings" }
  /** Makes the log of changes whole (`log-preparation.ts`), in a transaction of its own. */
  | { readonly kind: "prepareLog"; readonly askedMs?: number }
  | {
      readonly kind: "group";
      readonly group: WireGroup;
      /** When each unit was asked for, by `processMs`; now when left out. */
      readonly askedMs?: Float64Array;
    }
  | (Expecting & {
      readonly kind: "begin";
      readonly foreignKeys: boolean;
      readonly askedMs?: number;
    })
  | (Expecting & { readonly kind: "unit"; readonly statements: readonly Statement[] })
  | {
      readonly kind: "rows";
      readonly sql: string;
      readonly rows: readonly (readonly SqlValue[])[];
    }
  | (Expecting & { readonly kind: "savepoint"; readonly depth: number })
  | { readonly kind: "release"; readonly depth: number }
  | { readonly kind: "rollbackTo"; readonly depth: number }
  | { readonly kind: "commit" }
  | { readonly kind: "rollback" };

/** What the writer thread tells unasked. */
export type WriterNotice = LogTrouble | { readonly kind: "lost"; readonly message: string };

/** A request on its way. */
export interface Envelope<Request> {
  readonly id: number;
  readonly request: Request;
}

/** A reply on its way; a notice, which nobody asked for, has the id 0. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: WireError;
}
