/**
 * One process that caches, and others that write the same file and are killed: every hit is held
 * against a plain connection. Nobody can stop the others, so a hit is judged when nothing was
 * committed while it was looked at, which `data_version` tells; else it must be what stood before or
 * after, or it is not judged at all, and counted. With the freshness "turn" the time in which it is
 * looked at begins with the turn of the event loop.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { CachedFunction } from "../../../src/coherence/cached-function.ts";
import type { Freshness } from "../../../src/coherence/change-feed.ts";
import type { Database } from "../../../src/open/database.ts";
import { open } from "../../../src/open.ts";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { GROUPS, SCHEMA } from "./statements.ts";
import { hasShell, scriptWriter, shellWriter, WritingProcess } from "./writers.ts";

export interface TortureOptions {
  readonly path: string;
  readonly seed: number;
  readonly freshness: Freshness;
  readonly durationMs: number;
  /** It goes on for longer until there were so many. Default: 0. */
  readonly hits?: number;
}

export interface TortureCounts {
  hits: number;
  /** Hits during which somebody committed, and that are neither what was before nor after. */
  unjudged: number;
  misses: number;
  ownWrites: number;
  /** Commits of others, at least. */
  othersSeen: number;
  killed: number;
  threadsEnded: number;
  /** What was wrong; none, one hopes. */
  readonly stale: string[];
}

/** Times between two ends of a process, of the writer thread, and two writes of our own. */
const KILL_MS = 1_000;
const THREAD_MS = 1_000;
const OWN_WRITE_MS = 20;
const CALLS_PER_TURN = 25;
/** Reads that are under way at once. */
const READS_MAX = 8;
/** The share of calls whose question is known row by row: others are dropped by most writes. */
const PRECISE = 0.7;

const QUESTIONS = [
  "SELECT id, name, n FROM items WHERE grp = ? ORDER BY id",
  "SELECT count(*) AS count, max(id) AS last FROM items WHERE grp = ?",
  `SELECT i.id, t.body FROM items i LEFT JOIN notes t ON t.item = i.id
    WHERE i.grp = ? ORDER BY i.id, t.id`,
  "SELECT body FROM noted WHERE grp = ? ORDER BY body",
] as const;

/** Makes the file and tortures it. */
export async function torture(options: TortureOptions): Promise<TortureCounts> {
  const { path, seed, freshness, durationMs, hits = 0 } = options;
  using plain = new DatabaseSync(path, { timeout: 5_000 });
  plain.exec(`PRAGMA journal_mode = WAL; ${SCHEMA}`);
  await using db = await open({ url: `sqlite:///${path}`, schema: "ignore", cache: { freshness } });
  const run = new Torture(db, plain, options);
  await run.warmUp();
  await using writers = startWriters(path, seed);
  await run.until(performance.now() + durationMs, hits, path, writers);
  return run.counts;
}

interface Writers extends AsyncDisposable {
  readonly all: readonly WritingProcess[];
}

function startWriters(path: string, seed: number): Writers {
  const kinds = [
    scriptWriter("plain-writer.ts", path),
    scriptWriter("springhouse-writer.ts", path),
    ...(hasShell ? [shellWriter(path)] : []),
  ];
  const all = kinds.map((start, at) => new WritingProcess(start, seed + at));
  const stop = async (): Promise<void> => {
    for (const writer of all) await writer[Symbol.asyncDispose]();
  };
  return { all, [Symbol.asyncDispose]: stop };
}

class Torture {
  readonly counts: TortureCounts = {
    hits: 0,
    unjudged: 0,
    misses: 0,
    ownWrites: 0,
    othersSeen: 0,
    killed: 0,
    threadsEnded: 0,
    stale: [],
  };
  readonly #db: Database;
  readonly #functions: readonly CachedFunction<[number], unknown>[];
  readonly #statements: readonly StatementSync[];
  readonly #dataVersion: StatementSync;
  readonly #choices: Choices;
  /** What `data_version` was at the last look, and the right results since. */
  #version: unknown;
  readonly #known = new Map<number, string>();
  #reads = 0;
  readonly #freshness: Freshness;
  /** What `data_version` was when the turn began. */
  #turnVersion: unknown;

  constructor(db: Database, plain: DatabaseSync, { seed, freshness }: TortureOptions) {
    this.#db = db;
    this.#freshness = freshness;
    this.#choices = new Choices(seed);
    this.#dataVersion = plain.prepare("PRAGMA data_version");
    this.#statements = QUESTIONS.map((sql) => plain.prepare(sql));
    const [first, ...others] = QUESTIONS;
    this.#functions = [
      // Kysely tells which rows it reads, the others which tables.
      db.cached(first, (_query, group: number) => this.#itemsOf(group)),
      ...others.map((sql) => {
        return db.cached(sql, async (_query, group: number) => {
          return (await db.execute(sql, [group])).rows;
        });
      }),
    ];
  }

  async warmUp(): Promise<void> {
    for (const read of this.#functions) await read(0);
  }

  async until(endMs: number, hits: number, path: string, { all }: Writers): Promise<void> {
    await using store = await openSqliteStore({ url: { kind: "file", path } });
    const killing = new Repeated(KILL_MS, async () => {
      await this.#choices.one(all)?.replace();
      this.counts.killed++;
    });
    const ending = new Repeated(THREAD_MS, async () => {
      const writing = this.#write();
      await store.file.writer.terminate();
      await writing;
      this.counts.threadsEnded++;
    });
    const writing = new Repeated(OWN_WRITE_MS, () => this.#writeAndRead());
    const isDone = (): boolean => performance.now() > endMs && this.counts.hits >= hits;
    while (!isDone() && this.counts.stale.length === 0) {
      await this.#nextTurn();
      for (const work of [killing, ending, writing]) work.startIfDue();
      for (let left = CALLS_PER_TURN; left > 0; left--) {
        const at = this.#choices.chance(PRECISE) ? 0 : this.#choices.below(QUESTIONS.length);
        this.#call(at, this.#choices.below(GROUPS));
      }
    }
    for (const work of [killing, ending, writing]) await work.underWay;
  }

  /** A hit is judged at once, with nothing awaited between. */
  #call(at: number, group: number): void {
    const read = this.#functions[at];
    if (read === undefined) return;
    const before = this.#right(at, group);
    const since = this.#freshness === "turn" ? this.#turnVersion : this.#version;
    const hit = read.peek(group);
    if (hit === undefined) {
      this.#load(read, group);
      return;
    }
    this.counts.hits++;
    const given = JSON.stringify(hit);
    if (given === before || given === this.#right(at, group)) return;
    if (since === this.#version) this.#stale(at, group, given, before);
    else this.counts.unjudged++;
  }

  #load(read: CachedFunction<[number], unknown>, group: number): void {
    if (this.#reads >= READS_MAX) return;
    this.#reads++;
    this.counts.misses++;
    const done = (): void => {
      this.#reads--;
    };
    // A view may be gone at this moment.
    read(group).then(done, done);
  }

  /** What this process has written is there from the moment on at which the call returns. */
  async #writeAndRead(): Promise<void> {
    const group = await this.#write();
    if (group !== undefined) this.#call(0, group);
  }

  async #write(): Promise<number | undefined> {
    const group = this.#choices.below(GROUPS);
    try {
      await this.#db.execute("UPDATE items SET n = n + 1 WHERE grp = ?", [group]);
      this.counts.ownWrites++;
      return group;
    } catch {
      // The thread that was to write it was ended, or another process is in the way.
      return undefined;
    }
  }

  /** The right result; computed anew when anybody has committed since the last time. */
  #right(at: number, group: number): string {
    const version = this.#dataVersion.get()?.["data_version"];
    if (version !== this.#version) {
      this.counts.othersSeen++;
      this.#version = version;
      this.#known.clear();
    }
    const key = at * GROUPS + group;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = JSON.stringify(this.#statements[at]?.all(group));
    this.#known.set(key, text);
    return text;
  }

  #stale(at: number, group: number, given: string, right: string): void {
    this.counts.stale.push(`${QUESTIONS[at]} [${group}]\ngiven ${given}\nright ${right}`);
  }

  async #itemsOf(group: number): Promise<unknown> {
    const { query } = this.#db as unknown as { readonly query: ItemsQuery };
    return await query
      .selectFrom("items")
      .select(["id", "name", "n"])
      .where("grp", "=", group)
      .orderBy("id")
      .execute();
  }

  async #nextTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnVersion = this.#dataVersion.get()?.["data_version"];
  }
}

/** Work that is begun again some time after it was begun, and has ended. */
class Repeated {
  readonly #everyMs: number;
  readonly #work: () => Promise<void>;
  #nextMs: number;
  underWay: Promise<void> | undefined;

  constructor(everyMs: number, work: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#work = work;
    this.#nextMs = performance.now() + everyMs;
  }

  startIfDue(): void {
    if (this.underWay !== undefined || performance.now() < this.#nextMs) return;
    this.#nextMs = performance.now() + this.#everyMs;
    this.underWay = this.#work().finally(() => {
      this.underWay = undefined;
    });
  }
}

interface Item {
  readonly id: number;
  readonly grp: number;
  readonly name: string;
  readonly n: number;
}

type ItemsQuery = import("kysely").Kysely<{ readonly items: Item }>;
