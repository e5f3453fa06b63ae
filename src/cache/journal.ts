/**
 * The journal of write-behind: changes of a source that are acknowledged and not yet made.
 *
 * A change is in the file, synced, before its caller hears of it, so it survives a crash. Behind
 * it, the oldest changes go to `save` in batches, in their order, the last one of each key; what is
 * saved is deleted. One process at a time saves the changes of a category: it holds a lease that it
 * renews, and another takes over when it dies. A crash between `save` and the deletion brings the
 * same changes again.
 *
 * A change belongs to the version of the cache that wrote it: values of another version may have
 * another shape, so that neither a load nor `save` of this one is given them. They stay until a
 * process of their version saves them, or until a later change of their key is saved, which
 * stands for them too.
 */

import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { warn } from "../core/channels.ts";
import type { Clock } from "../core/clock.ts";
import { decodeValue, encodeValue } from "../core/codec.ts";
import { SpringhouseError } from "../core/errors.ts";
import { type Database, openDatabase } from "../sqlite/database.ts";
import type { ResultSet, SqlValue, Statement } from "../sqlite/values.ts";
import { fromStored, toStored } from "../tier/sqlite/key-text.ts";
import { type Load, type LoadMany, loadedOf } from "./load.ts";
import { type Save, type SourceChange, saveInTime } from "./strategy.ts";

/** Changes in one call of `save`. */
const BATCH_MAX = 100;
/** Changes that wait; beyond it `set` is refused, so that a dead source is noticed. */
const PENDING_MAX = 10_000;
/** Another process takes over when the one that saves has not renewed its lease for so long. */
const LEASE_MS = 5_000;
/** Pauses after a `save` that failed. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    codec TEXT,
    value BLOB,
    created_at INTEGER NOT NULL,
    version TEXT NOT NULL DEFAULT '1'
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS journal_by_key ON journal (scope, key, seq)",
  `CREATE TABLE IF NOT EXISTS journal_lease (
    scope TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    until INTEGER NOT NULL
  ) STRICT`,
].map((sql) => ({ sql, parameters: [] }));

/** Journals of before had no versions; theirs is the one that a cache has by default. */
const HAS_VERSIONS = "SELECT 1 FROM pragma_table_info('journal') WHERE name = 'version'";
const ADD_VERSIONS = "ALTER TABLE journal ADD COLUMN version TEXT NOT NULL DEFAULT '1'";

const INSERT = `INSERT INTO journal (scope, version, key, codec, value, created_at)
  VALUES (?, ?, ?, ?, ?, ?) RETURNING seq`;
/** Takes a lease that is free, one's own, over, or from before the clock was set back. */
const LEASE = `INSERT INTO journal_lease (scope, token, until) VALUES (?1, ?2, ?3)
  ON CONFLICT (scope) DO UPDATE SET token = excluded.token, until = excluded.until
  WHERE token = excluded.token OR until < ?4 OR until > ?4 + ${2 * LEASE_MS} RETURNING token`;

const COUNTS = "SELECT version, count(*) FROM journal WHERE scope = ? GROUP BY version";
const PENDING = `SELECT seq, key, codec, value FROM journal
  WHERE scope = ? AND version = ? AND key IN (SELECT value FROM json_each(?)) ORDER BY seq`;
const OLDEST = `SELECT seq, key, codec, value FROM journal
  WHERE scope = ? AND version = ? ORDER BY seq LIMIT ${BATCH_MAX}`;
/** Deletes what is saved, and what other versions have of its keys from before it. */
const SAVED = `DELETE FROM journal AS some WHERE scope = ?1 AND seq <= ?3 AND (version = ?2
  OR EXISTS (SELECT 1 FROM journal AS own WHERE own.scope = ?1 AND own.key = some.key
    AND own.seq > some.seq AND own.seq <= ?3 AND own.version = ?2))`;

const RELEASE = "DELETE FROM journal_lease WHERE scope = ? AND token = ?";

/** The journal file of a cache; opened at first use with its folder, or later if that failed. */
export class JournalFile {
  readonly #path: string;
  #opened: Promise<Database> | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<Database> {
    if (this.#closed) throw new SpringhouseError("CLOSED", "The journal of the cache is closed.");
    this.#opened ??= openJournal(this.#path).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return await this.#opened;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const database = await this.#opened?.catch(() => undefined);
    await database?.close();
  }
}

async function openJournal(path: string): Promise<Database> {
  await mkdir(dirname(path), { recursive: true });
  const database = await openDatabase({ kind: "file", path }, { profile: "durable" });
  await database.write(SCHEMA);
  const { rows } = await database.read({ sql: HAS_VERSIONS, parameters: [] });
  if (rows.length === 0) await database.write([{ sql: ADD_VERSIONS, parameters: [] }]);
  return database;
}

/** What a journal of a category needs. */
export interface JournalOptions {
  readonly file: JournalFile;
  readonly scope: string;
  /** Of the cache: what another one has written is left to it. */
  readonly version: string;
  readonly save: Save;
  /** How long `save` may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Told when `save` failed; it is tried again. */
  readonly onError: (error: unknown) => void;
}

/** The waiting changes of one category. */
export class Journal {
  readonly #options: JournalOptions;
  readonly #token: string = randomUUID();
  /** Changes on disk, as far as this process knows, and those on their way there. */
  #waiting = 0;
  #appending = 0;
  /** Changes on their way to the disk; none begins while it is counted what is there. */
  readonly #appends = new Set<Promise<unknown>>();
  #counting: Promise<void> | undefined;
  /** Whether something was noted since the last look. */
  #hasMore = false;
  #running: Promise<void> | undefined;
  #retry: Disposable | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Begins with what an earlier process has left. */
  async start(): Promise<void> {
    const others = await this.#count();
    if (others.size > 0) warnOfOthers(this.#options, others);
    if (this.#waiting > 0) this.#run();
  }

  /** Notes changes; resolves when they are on disk. @throws `BUSY` when too many wait. */
  async append(changes: readonly SourceChange[]): Promise<void> {
    const { length } = changes;
    while (this.#counting !== undefined) await this.#counting;
    if (this.#waiting + this.#appending + length > PENDING_MAX) throw tooMany(this.#scope);
    const { clock, file, version } = this.#options;
    const nowMs = clock.nowMs();
    const unit = changes.map((change): Statement => {
      const encoded = change.kind === "set" ? encodeValue(change.value) : undefined;
      const codec = encoded?.codec ?? null;
      const value = encoded?.bytes ?? null;
      const key = toStored(change.key);
      return { sql: INSERT, parameters: [this.#scope, version, key, codec, value, nowMs] };
    });
    const written = file.open().then((database) => database.write(unit));
    this.#appends.add(written);
    this.#appending += length;
    try {
      await written;
      this.#waiting += length;
    } finally {
      this.#appends.delete(written);
      this.#appending -= length;
    }
    this.#run();
  }

  /** The changes of keys that are not in the source yet. */
  async pending(keys: readonly string[]): Promise<ReadonlyMap<string, SourceChange>> {
    const stored = JSON.stringify(keys.map(toStored));
    const rows = await this.#read(PENDING, this.#scope, this.#options.version, stored);
    return newestOf(rows);
  }

  /** Tries at once; resolves when all is saved, another process saves it, or `save` has failed. */
  async flush(): Promise<void> {
    this.#cancelRetry();
    this.#run();
    await this.#running;
  }

  /** Saves what waits, once; what fails stays for the next process. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    this.#cancelRetry();
    // Another process need not wait until the lease is over.
    await this.#write(RELEASE, this.#leaseName, this.#token).catch(this.#options.onError);
  }

  get #scope(): string {
    return this.#options.scope;
  }

  /** Each version saves its own; no name has a slash. */
  get #leaseName(): string {
    return `${this.#scope}/${this.#options.version}`;
  }

  #run(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#hasMore = true;
    this.#running ??= this.#saveAll().finally(() => {
      this.#running = undefined;
    });
  }

  #cancelRetry(): void {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
  }

  async #saveAll(): Promise<void> {
    try {
      while (this.#hasMore) {
        this.#hasMore = false;
        while (await this.#saveBatch()) this.#failures = 0;
      }
    } catch (error) {
      this.#options.onError(error);
      this.#again(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++));
    }
  }

  #again(delayMs: number): void {
    if (this.#closed) return;
    this.#retry ??= this.#options.clock.schedule(() => {
      this.#retry = undefined;
      this.#run();
    }, delayMs);
  }

  /** @returns whether there may be more. */
  async #saveBatch(): Promise<boolean> {
    if (!(await this.#takeLease())) {
      // The one that saves makes room here, too.
      await this.#count();
      if (this.#waiting > 0) this.#again(LEASE_MS);
      return false;
    }
    const { save, timeoutMs, clock, version } = this.#options;
    const rows = await this.#read(OLDEST, this.#scope, version);
    if (rows.length === 0) {
      if (!this.#hasMore) this.#waiting = 0;
      return false;
    }
    const changes = newestOf(rows);
    await this.#whileRenewing(() => saveInTime(save, [...changes.values()], timeoutMs, clock));
    const last = rows.at(-1)?.[0] ?? 0;
    await this.#write(SAVED, this.#scope, version, last);
    this.#waiting = Math.max(0, this.#waiting - rows.length);
    return true;
  }

  /**
   * Counts what is on disk; a change that came meanwhile would be counted twice, or not at all.
   *
   * @returns what other versions have there.
   */
  async #count(): Promise<ReadonlyMap<string, number>> {
    const count = async (): Promise<ReadonlyMap<string, number>> => {
      await Promise.allSettled(this.#appends);
      const rows = await this.#read(COUNTS, this.#scope);
      const counts = new Map(rows.map(([version, changes]) => [String(version), Number(changes)]));
      this.#waiting = counts.get(this.#options.version) ?? 0;
      counts.delete(this.#options.version);
      return counts;
    };
    const counted = count().finally(() => {
      this.#counting = undefined;
    });
    // Who waits to append will see for himself whether the file is in order.
    this.#counting = counted.then(
      () => undefined,
      () => undefined,
    );
    return await counted;
  }

  async #takeLease(): Promise<boolean> {
    const nowMs = this.#options.clock.nowMs();
    const rows = await this.#write(LEASE, this.#leaseName, this.#token, nowMs + LEASE_MS, nowMs);
    return rows.length > 0;
  }

  /** A `save` that takes long is not to be taken for one that died. */
  async #whileRenewing(work: () => Promise<void>): Promise<void> {
    let isOver = false;
    let timer: Disposable | undefined;
    const renewLater = (): void => {
      if (isOver) return;
      timer = this.#options.clock.schedule(() => {
        void this.#takeLease().catch(this.#options.onError).then(renewLater);
      }, LEASE_MS / 3);
    };
    renewLater();
    try {
      await work();
    } finally {
      isOver = true;
      timer?.[Symbol.dispose]();
    }
  }

  async #read(sql: string, ...parameters: SqlValue[]): Promise<ResultSet["rows"]> {
    const database = await this.#options.file.open();
    return (await database.read({ sql, parameters })).rows;
  }

  async #write(sql: string, ...parameters: SqlValue[]): Promise<ResultSet["rows"]> {
    const database = await this.#options.file.open();
    const [result] = await database.write([{ sql, parameters }]);
    return result?.rows ?? [];
  }
}

/** A load that does not miss what is written and not yet saved. */
export function loadPast(journal: Journal | undefined, load: Load<unknown>): Load<unknown> {
  if (journal === undefined) return load;
  return async (context) => {
    const change = (await journal.pending([context.key])).get(context.key);
    if (change === undefined) return await load(context);
    return change.kind === "set" ? change.value : undefined;
  };
}

/** The same for many keys. */
export function loadManyPast(
  journal: Journal | undefined,
  load: LoadMany<unknown>,
): LoadMany<unknown> {
  if (journal === undefined) return load;
  return async (keys, context) => {
    const changes = await journal.pending(keys);
    const open = keys.filter((key) => !changes.has(key));
    const values = new Map<string, unknown>();
    for (const { key, ...change } of changes.values()) {
      values.set(key, change.kind === "set" ? change.value : undefined);
    }
    if (open.length === 0) return values;
    const loaded = loadedOf(open, await load(open, context));
    return new Map([...values, ...open.map((key, index) => [key, loaded[index]] as const)]);
  };
}

/** Changes by key: the last one of a key stands for those before it. */
function newestOf(rows: ResultSet["rows"]): ReadonlyMap<string, SourceChange> {
  return new Map(rows.map(changeOf).map((change) => [change.key, change]));
}

function changeOf([, stored, codec, value]: readonly SqlValue[]): SourceChange {
  const key = fromStored(String(stored));
  if (codec === null || !(value instanceof Uint8Array)) return { kind: "drop", key };
  return { kind: "set", key, value: decodeValue(String(codec), value) };
}

/** They were acknowledged, and nobody else would notice that they are not in the source. */
function warnOfOthers(
  { scope, version }: JournalOptions,
  others: ReadonlyMap<string, number>,
): void {
  const list = [...others].map(([other, changes]) => `${changes} of version "${other}"`);
  const message =
    `Changes of ${scope} that are not saved yet belong to another version than "${version}": ` +
    `${list.join(", ")}. They wait for a cache of their version.`;
  warn("CACHE_JOURNAL_VERSION", message, { scope, version, others: Object.fromEntries(others) });
}

function tooMany(scope: string): SpringhouseError {
  return new SpringhouseError(
    "BUSY",
    `${PENDING_MAX} changes of ${scope} wait for their source. See why save fails, or wait until ` +
      "some are saved.",
    { fields: { scope, pending: PENDING_MAX } },
  );
}
