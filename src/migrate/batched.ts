/**
 * Data steps: work over all rows of a large table in short transactions.
 *
 * A cursor walks the table in the order of its key, a window of rows at a time, whether or not they
 * match the condition, so that the length of a batch does not depend on what the rows hold. The
 * window is looked up before the write lock is taken; the batch then goes through only if the
 * journal still stands where the window begins, and moves it on in the same transaction. So, killed
 * at any moment or run twice at once, no row is worked on twice and none is left out. The walk ends
 * at the row that was last when it began: it does not run after rows that come meanwhile.
 *
 * Batches begin small and grow until one takes the latency budget: that is how long another writer
 * waits. Then comes a pause, so that others, of this process or not, get their turn.
 */

import { throwIfAborted } from "../core/abort.ts";
import { assert } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Session, SqlValue } from "../store/store.ts";
import { BATCHES_KEPT, migrationTransaction, type RunContext } from "./apply.ts";
import { Journal } from "./journal.ts";
import { type Condition, checkKey, type Key, keyAfter, keyOf, keyUpTo, lastKey } from "./keyset.ts";
import { pause, underBusyLock, underLock } from "./lock.ts";
import type {
  BackfillOptions,
  DataRow,
  DataStep,
  EachBatchOptions,
  Migration,
  MigrationTransaction,
} from "./migration.ts";
import { includesName } from "./normalise.ts";

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
/** Below this the commit costs more than the rows. */
const ROWS_MIN = 20;
/** A batch grows at most by this factor, so that one lucky measurement does no harm. */
const GROWTH_MAX = 2;
/** The cheapest of these many batches counts: a batch may have waited for others before it ran. */
const COSTS_REMEMBERED = 3;
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

  async backfill({ table, set, where = "TRUE" }: BackfillOptions): Promise<number> {
    const assignments = Object.entries(set).map(
      ([column, expression]) => `${quoteIdentifier(column)} = (${expression})`,
    );
    if (assignments.length === 0) {
      throw new SpringhouseError("INVALID_ARGUMENT", "backfill: `set` names no column.");
    }
    const { store, lease } = this.#context;
    const key = await keyOf(store, table);
    for (const column of key.columns) {
      if (!includesName(Object.keys(set), column)) continue;
      const message = `backfill: \`set\` changes ${column}, by which rows of ${table} are walked.`;
      throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { table, column } });
    }
    const update = `UPDATE ${quoteIdentifier(table)} SET ${assignments.join(", ")}`;
    return this.#walk(`backfill ${table}`, table, key, async (journal, window) => {
      const guard = journal.guard();
      // One unit: the lock is held for the statements alone, not while messages go to and fro.
      const [updated, advanced] = await underBusyLock(() =>
        store.write([
          {
            sql: `${update} WHERE ${window.sql} AND (${where}) AND ${guard.sql}`,
            parameters: [...window.parameters, ...guard.parameters],
          },
          journal.advance(window, "changes()"),
          ...lease.renewal(),
        ]),
      );
      return advanced?.changes === 1 ? (updated?.changes ?? 0) : undefined;
    });
  }

  async eachBatch(
    { table, columns, where = "TRUE" }: EachBatchOptions,
    work: (rows: readonly DataRow[], tx: MigrationTransaction) => Promise<void>,
  ): Promise<number> {
    const select = `SELECT ${quoteList(columns)} FROM ${quoteIdentifier(table)}`;
    const key = await keyOf(this.#context.store, table);
    return this.#walk(`rows of ${table}`, table, key, (journal, window) =>
      underLock(
        this.#context.store,
        async (tx) => {
          if (!(await journal.stands(tx))) return undefined;
          const sql = `${select} WHERE ${window.sql} AND (${where}) ORDER BY ${window.order}`;
          const { rows } = await tx.read({ sql, parameters: window.parameters });
          const objects = rows.map((row) =>
            Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
          );
          const writing = migrationTransaction(tx, this.#migration, BATCHES_KEPT);
          if (objects.length > 0) await work(objects, writing);
          const count = String(objects.length);
          await tx.write([journal.advance(window, count), ...this.#context.lease.renewal()]);
          return objects.length;
        },
        this.#context,
      ),
    );
  }

  async #walk(name: string, table: string, key: Key, work: Work): Promise<number> {
    const { store, clock, signal, isRehearsal } = this.#context;
    const journal = await Journal.open(store, this.#migration.version, this.#steps++, table);
    const [startMs, startRows] = [clock.monotonicMs(), journal.rows];
    const end = await lastKey(store, table, key);
    checkKey(table, end);
    const size = new BatchSize(this.#options);
    while (!journal.isFinished) {
      throwIfAborted(signal, "The data step");
      const window = await nextWindow(store, table, key, { after: journal.cursor, end }, size.rows);
      checkKey(table, window.last);
      const batchStartMs = clock.monotonicMs();
      const changed = await work(journal, window);
      const batchMs = clock.monotonicMs() - batchStartMs;
      if (changed === undefined) {
        const { position } = journal;
        await journal.read(store);
        assert(journal.position !== position, `the data step ${name} stands still at ${position}`);
        await pause(PAUSE_MS_MIN, signal);
        continue;
      }
      journal.moved(window, changed);
      this.#rows += changed;
      const elapsedMs = Math.max(clock.monotonicMs() - startMs, 1);
      const rowsPerSecond = ((journal.rows - startRows) / elapsedMs) * 1_000;
      this.#options.onBatch({ step: name, ...journal.progress(rowsPerSecond), rowsPerSecond });
      size.measured(window.rows, batchMs);
      if (journal.isFinished || isRehearsal) continue;
      await pause(Math.max(PAUSE_MS_MIN, batchMs * PAUSE_SHARE), signal);
    }
    return journal.changed;
  }
}

/** Runs a batch; the rows that it changed, or undefined when another process has been here. */
type Work = (journal: Journal, window: Window) => Promise<number | undefined>;

/** How many rows the next batch takes. */
class BatchSize {
  readonly #options: BatchOptions;
  readonly #costsMs: number[] = [];
  #rows: number;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#rows = Math.min(FIRST_ROWS, options.batchSize);
  }

  get rows(): number {
    return this.#rows;
  }

  measured(rows: number, ms: number): void {
    this.#costsMs.push(ms / Math.max(rows, 1));
    if (this.#costsMs.length > COSTS_REMEMBERED) this.#costsMs.shift();
    const { batchSize, latencyBudgetMs } = this.#options;
    const affordable = Math.floor(latencyBudgetMs / Math.min(...this.#costsMs));
    const wanted = Math.max(ROWS_MIN, Math.min(affordable, this.#rows * GROWTH_MAX));
    this.#rows = Math.min(batchSize, wanted);
  }
}

/** Consecutive rows of a table: a condition on its key. */
interface Window extends Condition {
  /** The key, to order by. */
  readonly order: string;
  readonly rows: number;
  /** Key of the last row; undefined for the last window, which reaches to the end of the walk. */
  readonly last: readonly SqlValue[] | undefined;
}

/** Rows after one key, up to another; undefined for no limit. */
interface Range {
  readonly after: readonly SqlValue[] | undefined;
  readonly end: readonly SqlValue[] | undefined;
}

/** The next `size` rows, or what is left when there are fewer. */
async function nextWindow(
  session: Session,
  table: string,
  key: Key,
  { after, end }: Range,
  size: number,
): Promise<Window> {
  const order = key.sql;
  const begin = keyAfter(key, after);
  const rest = end === undefined ? begin : both(begin, keyUpTo(key, end));
  const from = `FROM ${quoteIdentifier(table)} WHERE ${rest.sql}`;
  const bySize = `SELECT ${key.sql} ${from} ORDER BY ${order} LIMIT 1 OFFSET ?`;
  const found = await session.read({ sql: bySize, parameters: [...rest.parameters, size - 1] });
  const last = found.rows[0];
  if (last !== undefined) return { ...both(begin, keyUpTo(key, last)), order, rows: size, last };
  const left = await session.read({ sql: `SELECT count(*) ${from}`, parameters: rest.parameters });
  return { ...rest, order, rows: Number(left.rows[0]?.[0]), last };
}

function both(first: Condition, second: Condition): Condition {
  return {
    sql: `${first.sql} AND ${second.sql}`,
    parameters: [...first.parameters, ...second.parameters],
  };
}
