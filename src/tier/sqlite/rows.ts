/** Rows of `cache_entries` as JavaScript sees them. */

import type { SqlValue } from "../../core/statement.ts";
import { fromStored } from "./key-text.ts";

/** What is known of an entry without its value. Columns in the order of `HEADS`. */
export interface Head {
  readonly key: string;
  readonly id: number;
  readonly category: string;
  readonly createdMs: number;
  readonly freshUntilMs: number;
  readonly keepUntilMs: number;
  readonly slidingMs: number;
  readonly loadMs: number;
  readonly etag: string | undefined;
  /** As they are stored. */
  readonly tags: readonly string[];
  readonly epoch: number;
  /** Its freshness was ended, whatever a clock that was set back says. */
  readonly isExpired: boolean;
}

/** With what its value is made of. Columns in the order of `ENTRIES`. */
export interface Stored extends Head {
  readonly codec: string;
  readonly checksum: number;
  /** The number of its first part, when the value is too large for the row. */
  readonly parts: number | undefined;
  readonly bytes: Uint8Array;
}

type Row = readonly SqlValue[];
type HeadRow = readonly [string, number, string, number, number, number, number, number];

const NONE: readonly string[] = Object.freeze([]);
const NO_BYTES = new Uint8Array(0);

/** A row with the columns of `HEADS`. Read by position: hundreds of them make a batch. */
export function headOf(row: Row): Head {
  const [key, id, category, createdMs, freshUntilMs, keepUntilMs, slidingMs, loadMs] =
    row as HeadRow;
  return {
    key: fromStored(key),
    id,
    category,
    createdMs,
    freshUntilMs,
    keepUntilMs,
    slidingMs,
    loadMs,
    etag: (row[8] as string | null) ?? undefined,
    tags: row[9] === null ? NONE : (JSON.parse(row[9] as string) as string[]),
    epoch: row[10] as number,
    isExpired: row[11] === 1,
  };
}

/** A row with the columns of `ENTRIES`. */
export function storedOf(row: Row): Stored {
  return {
    ...headOf(row),
    codec: row[12] as string,
    checksum: row[13] as number,
    parts: (row[14] as number | null) ?? undefined,
    bytes: (row[15] as Uint8Array | null) ?? NO_BYTES,
  };
}
