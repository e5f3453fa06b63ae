/**
 * What makes cached results of one database right: the feed of its changes, the results that are in
 * memory, and the snapshots that new ones are read from.
 *
 * It is prepared when something is first cached, and again after each change of the schema: the
 * triggers that write the log are checked, and made where they are missing. While it is not
 * prepared, functions run each time, and nothing is kept.
 */

import { NO_VERSION, type Version } from "../change/expectation.ts";
import type { Atom, Footprint, Reading } from "../change/footprint.ts";
import type { Position } from "../change/position.ts";
import type { SchemaStructure } from "../change/structure.ts";
import { touches } from "../change/touches.ts";
import { warn } from "../core/channels.ts";
import { isSpringhouseError, messageOf } from "../core/errors.ts";
import { footprintOfNode } from "../footprint/kysely.ts";
import { CompiledStatement, type ReadingOf, readingOf } from "../store/reading.ts";
import type { Statement } from "../store/store.ts";
import { ChangeFeed, type ResetReason } from "./change-feed.ts";
import type { CoherentDatabase } from "./coherent-database.ts";
import { Entries } from "./entries.ts";
import { History, type Place } from "./history.ts";
import type { LoggedChange } from "./ring.ts";
import { RollupAtoms } from "./rollup-atoms.ts";
import { currentRun, Run } from "./tracking.ts";

/** A place in the history before a read, by which it is judged afterwards. See `ticket`. */
export interface Ticket {
  readonly position: Position;
  readonly epoch: number;
}

/** After a preparation that failed the next one in the background waits for so long. */
const PREPARE_AGAIN_MS = 10_000;
/** Rows of the log between two looks at whether it is to be trimmed. */
const ROWS_PER_TRIM = 10_000;

/** A schema that is changed all the time is not one to be sure of. */
const PREPARATIONS_MAX = 3;

const NO_TABLES: SchemaStructure = { table: () => undefined };

/** Where the read of a unit of work begins. */
export interface VersionTicket {
  readonly version: Version;
  /** The feed's epoch there. */
  readonly epoch: number;
}

/** The coherence of one database. All who have it open in this process share it. */
export class Coherence {
  readonly entries: Entries;
  readonly feed: ChangeFeed;
  readonly #database: CoherentDatabase;
  readonly #rollups: RollupAtoms;
  readonly #warned = new Set<string>();
  #schema = NO_TABLES;
  #preparing: Promise<void> | undefined;
  #isReady = false;
  #isPlanned = false;
  #notBeforeMs = 0;
  #refusal: string | undefined;
  #trimmedAt = 0;
  #isLossy = false;
  readonly #history: History;

  constructor(database: CoherentDatabase, rollups: RollupAtoms = new RollupAtoms()) {
    this.#database = database;
    this.#rollups = rollups;
    this.entries = new Entries((table) => this.#schema.table(table));
    this.feed = new ChangeFeed(database.log, {
      changed: (changes) => this.#changed(changes),
      reset: (reason) => this.#reset(reason),
    });
    this.#history = new History(database.log, this.feed);
  }

  /** Whether the calling code is inside of a transaction, and so past the cache. */
  get isPast(): boolean {
    return this.#database.isInTransaction;
  }

  /** Why nothing is kept; undefined when results can be kept. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether something was written that the log does not have, and does not tell of yet. */
  get isLossy(): boolean {
    return this.#isLossy;
  }

  /** Prepares what is not prepared. Never rejects: without it, functions run each time. */
  async prepare(): Promise<void> {
    if (this.#isReady || this.isPast) return;
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = undefined;
    });
    await this.#preparing;
  }

  /** Lets a preparation that failed be tried again at the next need of it. */
  prepareAgain(): void {
    this.#notBeforeMs = 0;
  }

  /** Calls `work` with what makes runs on one new snapshot. */
  async runs<T>(
    work: (newRun: (name: string) => Run) => Promise<T>,
    isShadow: boolean = false,
  ): Promise<T> {
    await this.prepare();
    const { epoch } = this.feed;
    return await this.#database.snapshot((snapshot, position) => {
      const note = (run: Run, statement: Statement): void => this.#note(run, statement);
      return work((name) => new Run(name, { snapshot, position, epoch, isShadow, note }));
    });
  }

  /**
   * Whether what a run has read is what the database gives now. What is true is true until the next
   * turn of the event loop at least.
   */
  stillHolds(run: Run): boolean {
    const { position, epoch, reason, footprint } = run;
    if (reason !== undefined || position === undefined) return false;
    return this.holdsSince({ position, epoch }, footprint);
  }

  /**
   * The place of the last look, to be taken before a read that has no snapshot of its own;
   * undefined while nothing can be kept, which is mended in the background.
   *
   * Such a read may happen at any state between the ticket and the moment at which `holdsSince` is
   * asked, and each of its statements at another one. If nothing between the two touches what was
   * read, then it is what every state between gives, whichever it was: the same as from a snapshot
   * at the ticket, without holding one. An older ticket is only compared with more.
   */
  ticket(): Ticket | undefined {
    const { position, epoch } = this.feed;
    if (this.#isReady && position !== undefined) return { position, epoch };
    this.#prepareLater();
    return undefined;
  }

  /** Whether nothing was changed since the ticket that touches the footprint. Looks first. */
  holdsSince({ position, epoch }: Ticket, footprint: Footprint): boolean {
    // What the read has seen was committed before this look, which therefore finds it.
    if (!this.feed.isCurrent("strict") || epoch !== this.feed.epoch) return false;
    return this.missedSince(position.sequence, footprint);
  }

  /** What a statement reads; undefined when its result must not be kept. */
  footprintOf(statement: Statement, told: ReadingOf): Footprint | undefined {
    if (!this.#isReady) return undefined;
    const reading = this.#readingOf(statement, told);
    return reading.cacheable ? reading.footprint : undefined;
  }

  /**
   * The place of the log now, for somebody who is about to read: what he reads is as new as that,
   * or newer. Its version is `NO_VERSION` when there is no log to go by.
   */
  async version(): Promise<VersionTicket> {
    // What is read in a cached function comes from a snapshot that was taken before.
    if (currentRun() !== undefined) return { version: NO_VERSION, epoch: this.feed.epoch };
    for (let count = 0; count < PREPARATIONS_MAX; count++) {
      await this.prepare();
      // Where it cannot look now, the place is an earlier one, which is as good.
      this.feed.isCurrent("strict");
      const { position, schemaVersion, epoch } = this.feed;
      if (position === undefined || schemaVersion === undefined) continue;
      return { version: { ...position, schemaVersion }, epoch };
    }
    return { version: NO_VERSION, epoch: this.feed.epoch };
  }

  /** Adds a row with a mark to the log, for a place that is to be known again later. */
  async mark(): Promise<void> {
    await this.#database.mark();
  }

  /** What a statement reads; `"all"` when that cannot be told. */
  atomsOf(statement: Statement): readonly Atom[] | "all" {
    const reading = this.#isReady ? this.#readingOf(statement) : undefined;
    return reading?.cacheable === true ? reading.footprint.atoms : "all";
  }

  /**
   * Whether what was read at a place, maybe by another process, is what the database gives at the
   * place of the last look, which this takes; undefined when that cannot be said now.
   */
  holdsFrom(place: Place, { atoms }: Footprint): boolean | undefined {
    if (!this.#isReady || this.#isLossy || !this.feed.catchUp()) return undefined;
    const steps = this.#history.since(place);
    return steps?.every((changes) => !this.#touchAny(changes, { atoms })) ?? false;
  }

  /** Whether what was changed after a place, as far as memory has it, misses the footprint. */
  missedSince(sequence: number, footprint: Footprint): boolean {
    const changes = this.feed.since(sequence);
    return changes !== undefined && !this.#touchAny(changes, footprint);
  }

  /** Says once that the results of a function are not kept, and why. */
  warnOnce(name: string, reason: string): void {
    const text = `${name}: ${reason}`;
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    warn("NOT_CACHED", `The result of "${name}" is not kept. ${reason}`, { name, reason });
  }

  #note(run: Run, statement: Statement): void {
    if (!this.#isReady) {
      run.refuse(this.#refusal ?? "The log of changes is not ready.");
      return;
    }
    const reading = this.#readingOf(statement);
    if (reading.cacheable) run.add(reading.footprint);
    else run.refuse(reading.reason);
  }

  #readingOf(statement: Statement, told = readingOf(statement)): Reading {
    const schema = this.#rollups.schemaWith(this.#schema);
    const known = told?.(schema) ?? readingOfNodes(statement, schema);
    return this.#rollups.translate(known ?? this.#database.readingOfText(statement.sql));
  }

  #touchAny(changes: readonly LoggedChange[], { atoms }: Footprint): boolean {
    return changes.some(({ change }) =>
      atoms.some((atom) => {
        const structure = this.#schema.table(atom.table);
        return atom.table === change.table && (!structure || touches(change, atom, structure));
      }),
    );
  }

  /** In a later turn, for whoever asks has no time for it; who closes meanwhile needs none. */
  #prepareLater(): void {
    const { isPast } = this;
    if (this.#isPlanned || isPast || performance.now() < this.#notBeforeMs) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.prepare()
        .catch(() => undefined)
        .finally(() => {
          this.#isPlanned = false;
          if (!this.#isReady) this.#notBeforeMs = performance.now() + PREPARE_AGAIN_MS;
        });
    });
  }

  async #prepare(): Promise<void> {
    try {
      for (;;) {
        const prepared = await this.#database.prepare(this.#isLossy);
        this.#refusal = prepared.ready ? undefined : prepared.reason;
        if (!prepared.ready) return;
        this.#schema = prepared.schema;
        this.#isLossy = !prepared.isWhole;
        this.feed.start();
        // Otherwise somebody has changed the schema between.
        if (this.feed.schemaVersion === prepared.schemaVersion) break;
      }
      this.#isReady = this.feed.position !== undefined;
      this.#trim();
    } catch (error) {
      this.#refusal = `The log of changes could not be prepared: ${messageOf(error)}`;
    }
  }

  #changed(changes: readonly LoggedChange[]): void {
    this.entries.apply(changes);
    this.#trim();
  }

  /** In the background, so that no log is longer than it must be, however short it is open for. */
  #trim(): void {
    const { position } = this.feed;
    if (position === undefined || position.sequence < this.#trimmedAt + ROWS_PER_TRIM) return;
    this.#trimmedAt = position.sequence;
    this.#database.trim(position).catch((error: unknown) => {
      // Who opens the file next goes on.
      if (isSpringhouseError(error, "CLOSED")) return;
      warn("LOG_NOT_TRIMMED", `The log of changes could not be trimmed: ${messageOf(error)}`);
    });
  }

  #reset(reason: ResetReason): void {
    this.entries.reset(reason);
    // Dropped in any case; but when the write-ahead log begins anew, nobody need have written.
    if (reason === "unlogged" && !this.#database.log.isRestarted()) {
      this.#isLossy = true;
      warn("UNLOGGED_WRITE", UNLOGGED);
    }
    if (reason === "history") return;
    // The triggers may be gone, or not fit the tables any more.
    this.#isReady = false;
    this.feed.stop();
  }
}

const UNLOGGED =
  "Something may have been written that the log of changes does not have: by a program with " +
  "triggers switched off, or after somebody dropped ours. A transaction that was committed after " +
  "all that it wrote had been undone looks the same. All cached results were dropped.";

/** What Kysely's tree says; undefined when there is none, or it does not tell. */
function readingOfNodes(statement: Statement, schema: SchemaStructure): Reading | undefined {
  const root = CompiledStatement.rootOf(statement);
  const reading = root === undefined ? undefined : footprintOfNode(root, schema);
  return reading?.cacheable === undefined ? undefined : reading;
}
