/**
 * Data steps: work over all rows of a large table in short transactions.
 *
 * A cursor walks the table in the order of its key, a window of rows at a time, whether or not they
 * match the condition, so that the length of a batch does not depend on what the rows hold. The
 * place and the counts are kept in `springhouse_migration_steps` by the batch's own transaction:
 * killed at any moment, the step goes on behind the last row that was committed, and no row is
 * worked on twice.
 *
 * Batches begin small and grow until one takes the latency budget: that is how long another writer
 * waits. Then comes a pause, so that others, of this process or not, get their turn.
 */

import { throwIfAborted } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Session, SqlValue, Statement, StoreTransaction } from "../store/store.ts";
import { BATCHES_KEPT, migrationTransaction, type RunContext } from "./apply.ts";
import {
  type Condition,
  decodeCursor,
  encodeCursor,
  type Key,
  keyAfter,
  keyOf,
  keyUpTo,
} from "./keyset.ts";
import { pause, underLock } from "./lock.ts";
import type {
  BackfillOptions,
  DataRow,
  DataStep,
  EachBatchOptions,
  Migration,
  MigrationTransaction,
} from "./migration.ts";

/** What a data step needs beside the run's context. */
export interface BatchOptions {
  readonly batchSize: number;
  readonly latencyBudgetMs: number;
  readonly onBatch: (progress: BatchProgress) => void;
}

/** How far a data step has come. */
export interface BatchProgress {
  readonly step: string;
  readonly rows: number;
  readonly rowsTotal: number;
  readonly rowsPerSecond: number;
  readonly etaMs: number;
}

/** The first batch: small enough for any row, measured before the size grows. */
const FIRST_ROWS = 100;
const ROWS_MIN = 10;
/** A batch grows at most by this factor, so that one lucky measurement does no harm. */
const GROWTH_MAX = 2;
/** The pause is at least a millisecond, the interval at which other processes try for the lock. */
const PAUSE_MS_MIN = 1;
/** And this part of the batch before it, so that a long batch leaves a longer gap. */
const PAUSE_SHARE = 0.25;

/** A data step that an UPDATE describes: `export const data = backfill({ table, set, where })`. */
export function backfill(options: BackfillOptions): (step: DataStep) => Promise<void> {
  return async (step) => {
    await step.backfill(options);
  };
}

/** Carries out the data steps of one migration; counts the rows that this run has changed. */
export class BatchedStep implements DataStep {
  readonly #context: RunContext;
  readonly #migration: Migration;
  readonly #options: BatchOptions;
  #steps = 0;
  #rows = 0;

  constructor(context: RunContext, migration: Migration, options: BatchOptions) {
    this.#context = context;
    this.#migration = migration;
    this.#options = options;
  }

  get signal(): AbortSignal | undefined {
    return this.#context.signal;
  }

  /** Rows changed or handed out in this run. */
  get rows(): number {
    return this.#rows;
  }

  backfill({ table, set, where = "TRUE" }: BackfillOptions): Promise<number> {
    const assignments = Object.entries(set).map(
      ([column, expression]) => `${quoteIdentifier(column)} = (${expression})`,
    );
    if (assignments.length === 0) {
      throw new SpringhouseError("INVALID_ARGUMENT", "backfill: `set` names no column.");
    }
    return this.#walk(`backfill ${table}`, table, async (tx, window) => {
      const sql =
        `UPDATE ${quoteIdentifier(table)} SET ${assignments.join(", ")} ` +
        `WHERE ${window.sql} AND (${where})`;
      const [result] = await tx.write([{ sql, parameters: window.parameters }]);
      return result?.changes ?? 0;
    });
  }

  eachBatch(
    { table, columns, where = "TRUE" }: EachBatchOptions,
    work: (rows: readonly DataRow[], tx: MigrationTransaction) => Promise<void>,
  ): Promise<number> {
    return this.#walk(`rows of ${table}`, table, async (tx, window, key) => {
      const sql =
        `SELECT ${quoteList(columns)} FROM ${quoteIdentifier(table)} ` +
        `WHERE ${window.sql} AND (${where}) ORDER BY ${key.sql}`;
      const { rows } = await tx.read({ sql, parameters: window.parameters });
      if (rows.length === 0) return 0;
      const objects = rows.map((row) =>
        Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
      );
      await work(objects, migrationTransaction(tx, this.#migration, BATCHES_KEPT));
      return rows.length;
    });
  }

  async #walk(name: string, table: string, work: Work): Promise<number> {
    const { store, clock, signal, isRehearsal } = this.#context;
    const step = this.#steps++;
    const key = await keyOf(store, table);
    let { rows, changed, isFinished, total } = await this.#begin(step, table);
    const [startMs, startRows] = [clock.monotonicMs(), rows];
    let size = Math.min(FIRST_ROWS, this.#options.batchSize);
    while (!isFinished) {
      throwIfAborted(signal, "The data step");
      const batch = await this.#batch({ step, table, key, size, work });
      ({ isFinished } = batch);
      rows += batch.rows;
      changed += batch.changed;
      this.#rows += batch.changed;
      const elapsedMs = Math.max(clock.monotonicMs() - startMs, 1);
      const rowsPerSecond = ((rows - startRows) / elapsedMs) * 1_000;
      total = isFinished ? rows : Math.max(total, rows);
      const etaMs = rowsPerSecond > 0 ? ((total - rows) / rowsPerSecond) * 1_000 : 0;
      this.#options.onBatch({ step: name, rows, rowsTotal: total, rowsPerSecond, etaMs });
      size = this.#nextSize(size, batch.ms);
      if (isFinished || isRehearsal) continue;
      await pause(Math.max(PAUSE_MS_MIN, batch.ms * PAUSE_SHARE), signal);
    }
    return changed;
  }

  /** Enters the step into the journal, or finds where it stopped. */
  async #begin(step: number, table: string): Promise<Journal> {
    const { store } = this.#context;
    const { version } = this.#migration;
    const known = await readJournal(store, version, step);
    if (known !== undefined) return known;
    const sql = `SELECT count(*) FROM ${quoteIdentifier(table)}`;
    const total = Number((await store.read({ sql, parameters: [] })).rows[0]?.[0]);
    await store.write([
      {
        sql: `INSERT INTO springhouse_migration_steps
          (version, step, cursor, rows, changed, rows_total, finished)
          VALUES (?, ?, NULL, 0, 0, ?, 0) ON CONFLICT (version, step) DO NOTHING`,
        parameters: [version, step, total],
      },
    ]);
    return { cursor: undefined, rows: 0, changed: 0, total, isFinished: false };
  }

  async #batch({ step, table, key, size, work }: BatchRequest): Promise<BatchResult> {
    const { clock, lease, store } = this.#context;
    const { version } = this.#migration;
    let startMs = clock.monotonicMs();
    const run = async (tx: StoreTransaction): Promise<Omit<BatchResult, "ms">> => {
      startMs = clock.monotonicMs();
      const journal = await readJournal(tx, version, step);
      if (journal === undefined || journal.isFinished) {
        return { rows: 0, changed: 0, isFinished: true };
      }
      const window = await nextWindow(tx, table, key, journal.cursor, size);
      const changed = window.rows === 0 ? 0 : await work(tx, window, key);
      const isFinished = window.last === undefined;
      await tx.write([advance(version, step, window, changed, isFinished), lease.claim()]);
      return { rows: window.rows, changed, isFinished };
    };
    const result = await underLock(store, run, this.#context);
    return { ...result, ms: clock.monotonicMs() - startMs };
  }

  #nextSize(size: number, ms: number): number {
    const { batchSize, latencyBudgetMs } = this.#options;
    const factor = Math.min(GROWTH_MAX, latencyBudgetMs / Math.max(ms, 0.01));
    return Math.min(batchSize, Math.max(ROWS_MIN, Math.floor(size * factor)));
  }
}

type Work = (tx: StoreTransaction, window: Window, key: Key) => Promise<number>;

interface BatchRequest {
  readonly step: number;
  readonly table: string;
  readonly key: Key;
  readonly size: number;
  readonly work: Work;
}

interface BatchResult {
  readonly rows: number;
  readonly changed: number;
  readonly isFinished: boolean;
  readonly ms: number;
}

/** Consecutive rows of a table: a condition on its key. */
interface Window extends Condition {
  readonly rows: number;
  /** Key of the last row; undefined for the last window, which has no upper end. */
  readonly last: readonly SqlValue[] | undefined;
}

/** The next `size` rows, or what is left when there are fewer. */
async function nextWindow(
  tx: StoreTransaction,
  table: string,
  key: Key,
  cursor: readonly SqlValue[] | undefined,
  size: number,
): Promise<Window> {
  const after = keyAfter(key, cursor);
  const from = `FROM ${quoteIdentifier(table)} WHERE ${after.sql}`;
  const bySize = `SELECT ${key.sql} ${from} ORDER BY ${key.sql} LIMIT 1 OFFSET ?`;
  const end = await tx.read({ sql: bySize, parameters: [...after.parameters, size - 1] });
  const last = end.rows[0];
  if (last !== undefined) {
    const upTo = keyUpTo(key, last);
    const parameters = [...after.parameters, ...upTo.parameters];
    return { sql: `${after.sql} AND ${upTo.sql}`, parameters, rows: size, last };
  }
  const left = await tx.read({ sql: `SELECT count(*) ${from}`, parameters: after.parameters });
  return { ...after, rows: Number(left.rows[0]?.[0]), last };
}

interface Journal {
  readonly cursor: readonly SqlValue[] | undefined;
  readonly rows: number;
  readonly changed: number;
  readonly total: number;
  readonly isFinished: boolean;
}

async function readJournal(
  session: Session,
  version: number,
  step: number,
): Promise<Journal | undefined> {
  const sql = `SELECT cursor, rows, changed, rows_total, finished
    FROM springhouse_migration_steps WHERE version = ? AND step = ?`;
  const row = (await session.read({ sql, parameters: [version, step] })).rows[0];
  if (row === undefined) return undefined;
  const [cursor, rows, changed, total, finished] = row;
  return {
    cursor: typeof cursor === "string" ? decodeCursor(cursor) : undefined,
    rows: Number(rows),
    changed: Number(changed),
    total: Number(total),
    isFinished: finished === 1,
  };
}

function advance(
  version: number,
  step: number,
  { last, rows }: Window,
  changed: number,
  isFinished: boolean,
): Statement {
  return {
    sql: `UPDATE springhouse_migration_steps SET cursor = coalesce(?, cursor), rows = rows + ?,
      changed = changed + ?, finished = ? WHERE version = ? AND step = ?`,
    parameters: [
      last === undefined ? null : encodeCursor(last),
      rows,
      changed,
      isFinished ? 1 : 0,
      version,
      step,
    ],
  };
}
