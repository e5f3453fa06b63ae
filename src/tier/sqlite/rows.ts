/** Rows of `cache_entries` as JavaScript sees them. */

import type { ResultSet, SqlValue } from "../../core/statement.ts";
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

const NONE: readonly string[] = Object.freeze([]);
const NO_BYTES = new Uint8Array(0);

/** The heads of a result, from the columns of `HEADS`. */
export function headsOf({ rows }: ResultSet): Head[] {
  return rows.map(headOf);
}

/** The entries of a result, from the columns of `ENTRIES`. */
export function storedOf({ rows }: ResultSet): Stored[] {
  return rows.map((row) => {
    const [codec, checksum, parts, value] = row.slice(11) as [string, number, number, Uint8Array];
    const bytes = value ?? NO_BYTES;
    return Object.assign(headOf(row), { codec, checksum, parts: parts ?? undefined, bytes });
  });
}

function headOf(row: Row): Head {
  const [key, id, category, createdMs, freshUntilMs, keepUntilMs, slidingMs, loadMs] = row as [
    string,
    number,
    string,
    number,
    number,
    number,
    number,
    number,
  ];
  const [etag, tags, epoch] = row.slice(8, 11) as [string | null, string | null, number];
  return {
    key: fromStored(key),
    id,
    category,
    createdMs,
    freshUntilMs,
    keepUntilMs,
    slidingMs,
    loadMs,
    etag: etag ?? undefined,
    tags: tags === null ? NONE : (JSON.parse(tags) as string[]),
    epoch,
  };
}
