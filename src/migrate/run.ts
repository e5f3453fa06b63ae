/**
 * The migrator: chooses what is to be done, takes the lock, and lets `apply.ts` and `batched.ts` do
 * it, one migration after the other.
 */

import { existsSync } from "node:fs";
import { throwIfAborted } from "../core/abort.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import {
  applyMigration,
  BATCHES_KEPT,
  failedError,
  finishMigration,
  type RunContext,
  revertMigration,
} from "./apply.ts";
import { type Assessment, assess } from "./assess.ts";
import { BatchedStep, type BatchProgress } from "./batched.ts";
import { rehearse } from "./dry-run.ts";
import { labelOf, loadMigrations, orderMigrations } from "./files.ts";
import { writeMigration } from "./generate.ts";
import { introspect } from "./introspect.ts";
import { baselineRows, CREATE_BOOKKEEPING, insertRow, readLedger } from "./ledger.ts";
import { Lease, lockedError, pause, underLock } from "./lock.ts";
import type { Migration } from "./migration.ts";
import type {
  DownOptions,
  MigrationPlan,
  MigrationProgress,
  MigrationResult,
  MigrationRun,
  MigrationStatus,
  Migrator,
  MigratorOptions,
  NewMigration,
  NewOptions,
  UpOptions,
  VerifyReport,
} from "./migrator.ts";
import { type ResolvedMigratorOptions, resolveMigratorOptions } from "./options.ts";
import { countAllRows, planPending } from "./pending-plan.ts";
import { planSchema } from "./plan.ts";
import { declaredSchema, hashOf } from "./schema.ts";
import { type Selection, selectDown, selectUp } from "./select.ts";
import { refreshStatistics } from "./statistics.ts";
import { verify } from "./verify.ts";

/**
 * Makes a migrator. Nothing is read or written before one of its methods is called.
 *
 * @throws `INVALID_ARGUMENT` for an unknown option or a value out of range.
 * @example
 * const migrator = createMigrator({ store, directory: "migrations" });
 * const { migrations, ms } = await migrator.up();
 */
export function createMigrator(options: MigratorOptions): Migrator {
  return new StoreMigrator(resolveMigratorOptions(options));
}

const UP_KEYS = ["to", "only", "dryRun", "outOfOrder", "signal"];
const DOWN_KEYS = ["steps", "to", "signal"];
const NEW_KEYS = ["from", "format", "renames", "steps"];
/** Between two looks at the lease of another process. */
const POLL_MS = 20;

/** Chooses from what is known; throws when the run must not go on. */
type Choose = (assessment: Assessment) => Selection;

class StoreMigrator implements Migrator {
  readonly new = (name: string, options?: NewOptions): Promise<NewMigration> =>
    this.#new(name, options);
  readonly #options: ResolvedMigratorOptions;

  constructor(options: ResolvedMigratorOptions) {
    this.#options = options;
  }

  async status(): Promise<MigrationStatus> {
    const { version, states, pending, unfinished, problems } = await this.#assess();
    const isDone = pending.length + unfinished.length + problems.length === 0;
    return { version, migrations: states, pending: pending.map(nameOf), upToDate: isDone };
  }

  async plan({ to }: Pick<UpOptions, "to"> = {}): Promise<MigrationPlan> {
    const { store } = this.#options;
    const assessment = await this.#assess();
    const { migrations } = selectUp(assessment, {
      ...(to !== undefined && { to }),
      outOfOrder: true,
    });
    const rows = await countAllRows(store);
    const pending = planPending(migrations, rows);
    const desired = this.#desired();
    if (desired === undefined || assessment.pending.length > 0) return { pending };
    return { pending, difference: planSchema(await introspect(store), desired, { rows }) };
  }

  async up(options: UpOptions = {}): Promise<MigrationRun> {
    refuseUnknownKeys(options, UP_KEYS, "up");
    const { clock, store } = this.#options;
    const startMs = clock.monotonicMs();
    const migrations = await this.#load();
    const choose: Choose = (assessment) => selectUp(assessment, options);
    const assessment = assess(await readLedger(store), migrations);
    const first = choose(assessment);
    const result = (done: readonly MigrationResult[], version: number): MigrationRun => {
      return { direction: "up", migrations: done, version, ms: clock.monotonicMs() - startMs };
    };
    if (isNothing(first)) return result([], assessment.version);
    const context = this.#context(options.signal);
    if (options.dryRun) {
      const dryRun = await rehearse({
        context,
        openCopy: this.#options.openCopy,
        prepare: async (copy) => (await this.#enter(copy, migrations, choose)) ?? first,
        runData: (copy, migration) => this.#runData(copy, migration, () => undefined),
      });
      return { ...result(dryRun.migrations, assessment.version), dryRun };
    }
    const done = await this.#withLease(context, migrations, choose, (selection) =>
      this.#applyAll(context, selection),
    );
    if (done.length > 0) await refreshStatistics(store);
    return result(done, (await this.#assess()).version);
  }

  async down(options: DownOptions = {}): Promise<MigrationRun> {
    refuseUnknownKeys(options, DOWN_KEYS, "down");
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const migrations = await this.#load();
    const assessment = await this.#assess(migrations);
    // A run that comes second must not revert what the first one has left in place.
    const aim = selectDown(assessment, migrations, options).migrations;
    const choose: Choose = ({ rows }) => ({
      unfinished: [],
      migrations: aim.filter(({ version }) => rows.some((row) => row.version === version)),
    });
    const context = this.#context(options.signal);
    const done = await this.#withLease(context, migrations, choose, (selection) =>
      this.#revertAll(context, selection),
    );
    const { version } = await this.#assess(migrations);
    return { direction: "down", migrations: done, version, ms: clock.monotonicMs() - startMs };
  }

  async verify(): Promise<VerifyReport> {
    return verify(this.#options.store, await this.#load(), this.#desired());
  }

  async #new(name: string, options: NewOptions = {}): Promise<NewMigration> {
    refuseUnknownKeys(options, NEW_KEYS, "new");
    const { directory, store } = this.#options;
    if (directory === undefined) {
      const message = "migrator: `directory` is needed to write a new migration.";
      throw new SpringhouseError("INVALID_ARGUMENT", message);
    }
    // The first one makes the folder.
    const hasFolder = existsSync(directory);
    const migrations = hasFolder ? await this.#load() : orderMigrations(this.#options.migrations);
    const desired = this.#desired();
    return writeMigration({ ...options, session: store, directory, migrations, name, desired });
  }

  async #load(): Promise<readonly Migration[]> {
    const { directory, migrations } = this.#options;
    const files = directory === undefined ? [] : await loadMigrations(directory);
    return orderMigrations([...files, ...migrations]);
  }

  async #assess(migrations?: readonly Migration[]): Promise<Assessment> {
    return assess(await readLedger(this.#options.store), migrations ?? (await this.#load()));
  }

  #desired(): ReturnType<typeof declaredSchema> | undefined {
    const { catalog, store } = this.#options;
    return catalog === undefined ? undefined : declaredSchema(catalog, store.dialect);
  }

  #context(signal: AbortSignal | undefined): RunContext {
    const { store, clock, timeoutMs } = this.#options;
    const desired = this.#desired();
    const declared = desired === undefined ? undefined : hashOf(desired);
    return {
      store,
      clock,
      timeoutMs,
      signal,
      declared,
      lease: new Lease(clock),
      isRehearsal: false,
    };
  }

  async #withLease(
    context: RunContext,
    migrations: readonly Migration[],
    choose: Choose,
    work: (selection: Selection) => Promise<readonly MigrationResult[]>,
  ): Promise<readonly MigrationResult[]> {
    const selection = await this.#enter(context, migrations, choose);
    if (selection === undefined) return [];
    try {
      return await work(selection);
    } finally {
      // When this fails too, the lease ends by itself; the first error is the one to tell.
      await context.store.write([context.lease.release()]).catch(() => undefined);
    }
  }

  /** Takes the lease, once nobody else has it; undefined when there is nothing left to do then. */
  async #enter(
    context: RunContext,
    migrations: readonly Migration[],
    choose: Choose,
  ): Promise<Selection | undefined> {
    const { clock, timeoutMs, lease, signal, store } = context;
    const startMs = clock.monotonicMs();
    for (;;) {
      const outcome = await underLock(
        store,
        async (tx): Promise<{ readonly holder?: string; readonly selection?: Selection }> => {
          const ledger = await readLedger(tx);
          const selection = choose(assess(ledger, migrations));
          if (isNothing(selection)) return {};
          await tx.write(CREATE_BOOKKEEPING);
          const holder = context.isRehearsal ? undefined : await lease.holder(tx);
          if (holder !== undefined) return { holder };
          const rows = baselineRows(ledger, migrations, clock.nowMs());
          await tx.write([...rows.map(insertRow), lease.claim()]);
          return { selection };
        },
        context,
      );
      if (outcome.holder === undefined) return outcome.selection;
      const waitedMs = clock.monotonicMs() - startMs;
      if (waitedMs >= timeoutMs) throw lockedError(waitedMs, outcome.holder);
      await pause(POLL_MS, signal);
    }
  }

  async #applyAll(context: RunContext, selection: Selection): Promise<readonly MigrationResult[]> {
    const { unfinished, migrations } = selection;
    await this.#warnBefore(migrations.filter(({ destructive }) => destructive));
    const all = [...unfinished, ...migrations];
    const done: MigrationResult[] = [];
    for (const migration of all) {
      throwIfAborted(context.signal, "The migration");
      const startMs = context.clock.monotonicMs();
      const counts = { migrationsDone: done.length, migrationsTotal: all.length };
      if (migrations.includes(migration)) {
        const ms = await applyMigration(context, migration);
        if (ms === undefined) continue;
      }
      const rows = await this.#runData(context, migration, (progress) =>
        this.#report({ ...nameOf(migration), phase: "data", ...counts, ...progress }),
      );
      done.push({ ...nameOf(migration), ms: context.clock.monotonicMs() - startMs, rows });
      const finished = { ...counts, migrationsDone: done.length };
      this.#report({ ...nameOf(migration), phase: "schema", ...finished });
    }
    return done;
  }

  async #revertAll(context: RunContext, { migrations }: Selection): Promise<MigrationResult[]> {
    await this.#warnBefore(migrations);
    const done: MigrationResult[] = [];
    for (const migration of migrations) {
      const ms = await revertMigration(context, migration);
      if (ms === undefined) continue;
      done.push({ ...nameOf(migration), ms, rows: 0 });
      const counts = { migrationsDone: done.length, migrationsTotal: migrations.length };
      this.#report({ ...nameOf(migration), phase: "schema", ...counts });
    }
    return done;
  }

  /** The data steps of a migration; the number of rows that this run has changed. */
  async #runData(
    context: RunContext,
    migration: Migration,
    onBatch: (progress: BatchProgress) => void,
  ): Promise<number> {
    if (migration.data === undefined) return 0;
    const { batchSize, latencyBudgetMs } = this.#options;
    const startMs = context.clock.monotonicMs();
    const step = new BatchedStep(context, migration, { batchSize, latencyBudgetMs, onBatch });
    try {
      await migration.data(step);
    } catch (error) {
      if (isSpringhouseError(error, "ABORTED")) throw stoppedError(migration, error);
      if (isSpringhouseError(error) && STOPPED.includes(error.code)) throw error;
      throw failedError(migration, error, undefined, BATCHES_KEPT);
    }
    await finishMigration(context, migration, context.clock.monotonicMs() - startMs);
    return step.rows;
  }

  async #warnBefore(destructive: readonly Migration[]): Promise<void> {
    if (destructive.length > 0) await this.#options.beforeDestructive?.(destructive.map(nameOf));
  }

  #report(progress: MigrationProgress): void {
    this.#options.onProgress?.(progress);
  }
}

/** These say already what has happened to a data step. */
const STOPPED: readonly string[] = ["MIGRATION_FAILED", "MIGRATION_LOCKED"];

function stoppedError(migration: Migration, error: SpringhouseError): SpringhouseError {
  const message =
    `The data step of ${labelOf(migration)} was stopped. Finished batches are kept; run again, ` +
    "it goes on where it stopped.";
  return new SpringhouseError("ABORTED", message, { cause: error.cause });
}

function isNothing({ unfinished, migrations }: Selection): boolean {
  return unfinished.length + migrations.length === 0;
}

function nameOf({ version, name }: Migration): { version: number; name: string } {
  return { version, name };
}
