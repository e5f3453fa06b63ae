/** What the main process and the process that works on backups say to each other. */

import type { WireError } from "../sqlite/errors.ts";
import type { BackupKey } from "./encryption.ts";
import type {
  DatabaseContent,
  DatabaseFacts,
  Encryption,
  Manifest,
  PackedData,
} from "./manifest.ts";

/** One step of the work. Paths are absolute. */
export type Task =
  /** Copies a database as it is at one moment, while others write to it. */
  | { readonly kind: "snapshot"; readonly database: string; readonly to: string }
  /** Reads what a snapshot holds, and compresses and encrypts it. */
  | {
      readonly kind: "pack";
      readonly from: string;
      readonly to: string;
      readonly key?: BackupKey | undefined;
      readonly encryption?: Encryption | undefined;
    }
  /** Makes a database of a backup, and checks everything that the manifest says about it. */
  | {
      readonly kind: "prove";
      readonly from: string;
      readonly to: string;
      readonly manifest: Manifest;
      readonly key?: BackupKey | undefined;
    }
  /** Checks a database that nobody has open. */
  | { readonly kind: "check"; readonly path: string }
  /** Gets a database to itself, until it is let go. */
  | { readonly kind: "lock"; readonly database: string }
  /** Copies the locked database. */
  | { readonly kind: "copyLocked"; readonly to: string }
  /** Puts a restored file in the place of the locked database. */
  | { readonly kind: "swap"; readonly restored: string; readonly setOldAside: boolean }
  /** Lets the database go. */
  | { readonly kind: "unlock" };

/** What each task answers. */
export interface Results {
  readonly snapshot: DatabaseFacts;
  readonly pack: Packed;
  readonly prove: Proof;
  readonly check: Proof;
  readonly lock: Locked;
  readonly copyLocked: DatabaseFacts;
  /** The new name of the old files, when they were kept. */
  readonly swap: { readonly aside: string | undefined };
  readonly unlock: null;
}

/** What was packed. */
export interface Packed {
  readonly content: DatabaseContent;
  readonly data: Omit<PackedData, "file">;
}

/** What was checked, and how much of it there was. All of it was as it should be. */
export interface Proof {
  readonly bytes: number;
  readonly tables: number;
  readonly rows: number;
  readonly foreignKeyViolations: number;
  readonly ms: number;
}

/** What stands where a backup is to be restored. */
export type Locked =
  /** No file. */
  | { readonly state: "absent" }
  /** Nobody else has it open, and nobody gets it until it is let go. */
  | { readonly state: "held" }
  /** It cannot be read as a database; why. */
  | { readonly state: "damaged"; readonly why: string };

/** How far a task has come. */
export interface Progress {
  readonly step: "copy" | "read" | "pack" | "unpack" | "check";
  readonly done: number;
  readonly total?: number;
  readonly unit: "bytes" | "rows" | "files";
}

/** From the process that works. */
export type Reply =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly error: WireError };
