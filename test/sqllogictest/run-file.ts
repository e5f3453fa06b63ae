/**
 * Runs the records of one file through the cache.
 *
 * Every query is asked twice: the second time must be a hit, unless the cache says why it keeps
 * nothing. Both must be what a plain connection reads from the file at this moment, and that what
 * the record expects. After every statement each result that the cache would still give is compared
 * again, and before the next query some of the earlier ones are asked again as well.
 */

import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../src/core/errors.ts";
import { type LogicRecord, parseRecords, type SortMode } from "./records.ts";
import type { Rows, Subject, Witness } from "./subject.ts";
import { type ExactRow, formatted, hashOf, isExpected } from "./values.ts";

/** Queries that are looked at again after each statement: the last ones. */
const LIVE_MAX = 200;
/** Of these so many are asked again before the next query. */
const ASKED_AGAIN = 10;

/** What was done and found. */
export interface Counts {
  records: number;
  statements: number;
  queries: number;
  hits: number;
  notCacheable: number;
  entryChecks: number;
  stale: number;
}

/** What a file has brought to light. */
export interface FileOutcome {
  readonly counts: Counts;
  /** Faults of ours, each with its line. */
  readonly faults: readonly string[];
  /** Records whose expectation SQLite itself does not meet in this version. */
  readonly otherwise: readonly string[];
  /** Records that were left when the time was over. */
  readonly left: number;
}

/** When to stop, and what to tell on the way. */
export interface RunOptions {
  readonly isOver?: () => boolean;
  readonly onRecord?: (done: number, total: number) => void;
}

type Query = Extract<LogicRecord, { readonly kind: "query" }>;

/** Runs a file on a database that is new. */
export async function runFile(
  text: string,
  subject: Subject,
  witness: Witness,
  { isOver = () => false, onRecord = () => undefined }: RunOptions = {},
): Promise<FileOutcome> {
  const records = parseRecords(text);
  const run = new FileRun(subject, witness);
  let done = 0;
  for (const record of records) {
    if (isOver()) break;
    if (record.kind === "statement") await run.statement(record.sql, record.fails, record.line);
    else await run.query(record);
    onRecord(++done, records.length);
  }
  return { ...run.outcome(done), left: records.length - done };
}

class FileRun {
  readonly #subject: Subject;
  readonly #witness: Witness;
  /** The queries asked last, the latest at the end. */
  readonly #live = new Map<string, SortMode>();
  readonly #hashes = new Map<string, string>();
  readonly #faults: string[] = [];
  readonly #otherwise: string[] = [];
  #isWritten = false;
  readonly #counts = {
    statements: 0,
    queries: 0,
    hits: 0,
    notCacheable: 0,
    entryChecks: 0,
    stale: 0,
  };

  constructor(subject: Subject, witness: Witness) {
    this.#subject = subject;
    this.#witness = witness;
  }

  outcome(records: number): Omit<FileOutcome, "left"> {
    const counts = { records, ...this.#counts };
    return { counts, faults: this.#faults, otherwise: this.#otherwise };
  }

  async statement(sql: string, fails: boolean, line: number): Promise<void> {
    this.#counts.statements++;
    this.#isWritten = true;
    const error = await failureOf(async () => {
      for (const each of singly(sql)) await this.#subject.run(withoutTemp(each));
    });
    if ((error !== undefined) !== fails) {
      this.#faults.push(`line ${line}: ${error ?? "did not fail"}: ${sql}`);
    }
    for (const [known, sort] of this.#live) {
      const kept = this.#subject.peek(known);
      if (kept !== undefined) this.#check(known, sort, kept, line);
    }
  }

  async query(record: Query): Promise<void> {
    const { sql, sort, line } = record;
    this.#counts.queries++;
    if (this.#isWritten) await this.#askAgain(line);
    this.#isWritten = false;
    let fresh: readonly ExactRow[];
    try {
      const first = await this.#subject.ask(sql);
      const second = await this.#askOnceMore(sql, line);
      fresh = this.#witness.ask(sql);
      for (const rows of [first, second]) this.#compare(sql, sort, rows, fresh, line);
    } catch (error) {
      const isOurs = (await failureOf(async () => this.#witness.ask(sql))) === undefined;
      const list = isOurs ? this.#faults : this.#otherwise;
      list.push(`line ${line}: ${messageOf(error)}: ${sql}`);
      return;
    }
    this.#live.delete(sql);
    this.#live.set(sql, sort);
    for (const oldest of this.#live.keys()) {
      if (this.#live.size <= LIVE_MAX) break;
      this.#live.delete(oldest);
    }
    this.#judge(record, fresh);
  }

  /** It must come from memory, or there is a reason why it cannot. */
  async #askOnceMore(sql: string, line: number): Promise<Rows> {
    const isKept = this.#subject.peek(sql) !== undefined;
    const runs = this.#subject.runs();
    const second = await this.#subject.ask(sql);
    if (isKept && this.#subject.runs() === runs) this.#counts.hits++;
    else if (this.#subject.notKept(sql) !== undefined) this.#counts.notCacheable++;
    else this.#faults.push(`line ${line}: not kept, and nobody says why: ${sql}`);
    return second;
  }

  /** Whether the file, as SQLite reads it here, is what the record says. */
  #judge({ sql, types, sort, label, expected, line }: Query, fresh: readonly ExactRow[]): void {
    const values = formatted(fresh, types, sort);
    if (expected !== undefined && !isExpected(values, expected)) {
      this.#otherwise.push(`line ${line}: ${sql}`);
    }
    if (label === undefined) return;
    const hash = hashOf(values);
    const before = this.#hashes.get(label);
    if (before !== undefined && before !== hash) {
      this.#otherwise.push(`line ${line}: not the result of ${label} before: ${sql}`);
    }
    this.#hashes.set(label, hash);
  }

  async #askAgain(line: number): Promise<void> {
    for (const [sql, sort] of [...this.#live].slice(-ASKED_AGAIN)) {
      let rows: Rows | undefined;
      const error = await failureOf(async () => {
        rows = await this.#subject.ask(sql);
      });
      if (rows !== undefined) this.#check(sql, sort, rows, line);
      if (error === undefined) continue;
      // What it reads was dropped, if the plain connection fails as well.
      this.#live.delete(sql);
      if ((await failureOf(async () => this.#witness.ask(sql))) !== undefined) continue;
      this.#faults.push(`line ${line}: ${error}: ${sql}`);
    }
  }

  /** Compares a result that the cache gives with what the file has. */
  #check(sql: string, sort: SortMode, rows: Rows, line: number): void {
    try {
      this.#compare(sql, sort, rows, this.#witness.ask(sql), line);
    } catch (error) {
      this.#counts.stale++;
      this.#faults.push(`line ${line}: given, although ${messageOf(error)}: ${sql}`);
    }
  }

  #compare(
    sql: string,
    sort: SortMode,
    rows: Rows,
    fresh: readonly ExactRow[],
    line: number,
  ): void {
    this.#counts.entryChecks++;
    if (isDeepStrictEqual(ordered(rows, sort), ordered(fresh, sort))) return;
    this.#counts.stale++;
    this.#faults.push(`line ${line}: stale: ${sql}`);
  }
}

/** Rows as texts that tell all values apart that we give apart; sorted where their order is open. */
function ordered(rows: readonly (readonly unknown[])[], sort: SortMode): string[] {
  const texts = rows.map((row) => row.map(exactly).join());
  return sort === "nosort" ? texts : texts.sort();
}

function exactly(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  return typeof value === "number" ? exactNumber(value) : JSON.stringify(value);
}

/** Integers are numbers on our side, so a whole real looks like one; so does minus zero. */
function exactNumber(value: number): string {
  return Number.isSafeInteger(value) ? String(BigInt(value)) : String(value);
}

/** Some records hold several statements, one a line. */
function singly(sql: string): readonly string[] {
  if (/^\s*CREATE\s+(?:TEMP\w*\s+)?TRIGGER\b/i.test(sql)) return [sql];
  return sql.split(/;[ \t]*\n/).filter((each) => each.trim() !== "");
}

/** Temporary objects live in one connection and are refused; the files only need some object. */
function withoutTemp(sql: string): string {
  return sql.replace(/^(\s*CREATE\s+)TEMP(?:ORARY)?\s+/i, "$1");
}

async function failureOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
