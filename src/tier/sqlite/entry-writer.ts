/** Storing entries: packed between the turns of the main thread, written in short units. */

import { throwIfAborted } from "../../core/abort.ts";
import type { Clock } from "../../core/clock.ts";
import { isSliceOver, nextSlice } from "../../core/slices.ts";
import type { Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Counters } from "../counters.ts";
import { type PayloadSettings, pack } from "../payload.ts";
import type { Bounds } from "../stored-options.ts";
import type { SetOutcome, TierEntry } from "../tier.ts";
import { toStored } from "./key-text.ts";
import { addParts, newPartsNumber, ROW_VALUE_BYTES_MAX, split } from "./parts.ts";
import { DROP_OLDER, statement, UPSERT, until } from "./statements.ts";

/** What an entry takes beyond its texts and its value: the row and its places in the indexes. */
const ENTRY_BYTES = 200;
/** A unit stays below these, so that the writer is soon free for others. */
const UNIT_STATEMENTS_MAX = 100;
const UNIT_BYTES_MAX = 256 * 1_024;
/** One is written while the next is packed; more would only take memory, and one long message. */
const UNITS_UNDER_WAY = 2;

/** What writing needs. */
export interface WriterParts {
  readonly clock: Clock;
  readonly bounds: Bounds;
  readonly payload: PayloadSettings;
  readonly counters: Counters;
  /** Whose drops fence nothing here; see fences.ts. */
  readonly owner: string;
}

/** An entry as statements; the first one tells what became of it. */
interface Prepared {
  readonly statements: readonly Statement[];
  readonly bytes: number;
  readonly refused: boolean;
}

type Signal = AbortSignal | undefined;

/** Writes the entries of one tier. */
export class EntryWriter {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Stores entries; what became of each. */
  async setMany(
    database: Database,
    entries: readonly TierEntry[],
    signal: Signal,
  ): Promise<SetOutcome[]> {
    const units = new Units(database, signal);
    for (const entry of entries) {
      throwIfAborted(signal, "The write");
      await units.add(await this.#prepare(entry));
      if (isSliceOver()) await nextSlice();
    }
    const outcomes = await units.finish();
    const { counters } = this.#parts;
    for (const outcome of outcomes) {
      if (outcome === "stored") counters.sets++;
      if (outcome === "too-large") counters.refusals++;
    }
    return outcomes;
  }

  async #prepare(entry: TierEntry): Promise<Prepared> {
    const { clock, payload, owner } = this.#parts;
    const key = toStored(entry.key);
    const tags = entry.tags.length === 0 ? null : JSON.stringify(entry.tags.map(toStored));
    const { codec, bytes } = await pack(entry.key, entry.value, payload, entry.compression);
    const keyBytes = Buffer.byteLength(key);
    const sizeBytes = bytes.byteLength + keyBytes + (tags?.length ?? 0) + ENTRY_BYTES;
    const nowMs = clock.nowMs();
    if (sizeBytes > this.#bytesMax(entry.category)) {
      const drop = statement(DROP_OLDER, key, entry.createdMs, nowMs);
      return { statements: [drop], bytes: keyBytes, refused: true };
    }
    const { parts, checksum } = await split(bytes);
    const inRow = bytes.byteLength <= ROW_VALUE_BYTES_MAX;
    const number = inRow ? null : newPartsNumber();
    const upsert = statement(
      UPSERT,
      key,
      entry.category,
      entry.createdMs,
      entry.freshUntilMs,
      entry.keepUntilMs,
      entry.slidingMs,
      nowMs,
      sizeBytes,
      entry.loadMs,
      entry.etag ?? null,
      tags,
      codec,
      checksum,
      number,
      inRow ? (parts[0] ?? null) : null,
      owner,
    );
    const statements = number === null ? [upsert] : [upsert, ...addParts(key, number, parts)];
    return { statements, bytes: sizeBytes, refused: false };
  }

  #bytesMax(category: string): number {
    const { bytesMax, entryBytesMax, quotas } = this.#parts.bounds;
    return Math.min(bytesMax, entryBytesMax, quotas.of(category));
  }
}

/** Gathers statements into units and has them written, in order. */
class Units {
  readonly #database: Database;
  readonly #signal: Signal;
  readonly #outcomes: SetOutcome[] = [];
  readonly #underWay: Promise<SetOutcome[]>[] = [];
  #entries: Prepared[] = [];
  #statements = 0;
  #bytes = 0;

  constructor(database: Database, signal: Signal) {
    this.#database = database;
    this.#signal = signal;
  }

  /** @throws what a unit before has failed with. */
  async add(entry: Prepared): Promise<void> {
    const statements = this.#statements + entry.statements.length;
    if (statements > UNIT_STATEMENTS_MAX || this.#bytes + entry.bytes > UNIT_BYTES_MAX) {
      this.#write();
      while (this.#underWay.length >= UNITS_UNDER_WAY) await this.#awaitFirst();
    }
    this.#entries.push(entry);
    this.#statements += entry.statements.length;
    this.#bytes += entry.bytes;
  }

  async finish(): Promise<SetOutcome[]> {
    this.#write();
    while (this.#underWay.length > 0) await this.#awaitFirst();
    return this.#outcomes;
  }

  #write(): void {
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    this.#statements = 0;
    this.#bytes = 0;
    const written = this.#writeUnit(entries);
    // It is awaited in its turn; until then its failure is nobody's.
    written.catch(() => undefined);
    this.#underWay.push(written);
  }

  async #awaitFirst(): Promise<void> {
    for (const outcome of (await this.#underWay.shift()) ?? []) this.#outcomes.push(outcome);
  }

  async #writeUnit(entries: readonly Prepared[]): Promise<SetOutcome[]> {
    const unit = entries.flatMap(({ statements }) => statements);
    const results = await this.#database.write(unit, until(this.#signal));
    let at = 0;
    return entries.map(({ statements, refused }) => {
      const changes = results[at]?.changes;
      at += statements.length;
      if (refused) return "too-large";
      return changes === 0 ? "outdated" : "stored";
    });
  }
}
