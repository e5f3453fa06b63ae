/**
 * The main thread's knowledge of what has been committed, and the one way by which it learns it:
 * from the log in the database, whoever wrote.
 *
 * What must hold whenever `isCurrent` says yes: every commit that was finished when it was asked,
 * as far as the freshness promises, has been taken from the log and told to the listener. It says
 * yes without a look while no commit of our own is announced that it has not seen; for those of
 * others it asks `data_version`, which costs 2 µs: each time (`"strict"`), once in a turn of the
 * event loop (`"turn"`), or never (`"exclusive"`).
 *
 * The order matters: `settled` is read before the log. A commit that falls between is then looked
 * for once more than needed, and never missed. `data_version` belongs to the snapshot of the look,
 * so that when it moves and the log does not, somebody may have written what the log does not have.
 */

import type { Position } from "../change/position.ts";
import { isSpringhouseError } from "../core/errors.ts";
import type { LogSource, Look } from "./log-source.ts";
import { type LoggedChange, Ring } from "./ring.ts";

/** How soon a read from memory sees what other processes write. See `docs/guide/coherence.md`. */
export type Freshness = "strict" | "turn" | "exclusive";

/** Why everything is dropped. */
export type ResetReason =
  /** The schema was changed, by whomever. */
  | "schema"
  /** The log does not reach back to where we were: it was trimmed, or the file is another one. */
  | "history"
  /**
   * Somebody may have written what the log does not have, with triggers off or gone. A transaction
   * whose statements were all undone before it was committed looks the same.
   */
  | "unlogged";

/** Told of everything, in order, before anybody reads on. */
export interface FeedListener {
  changed(changes: readonly LoggedChange[]): void;
  reset(reason: ResetReason): void;
}

/** How long a turn may go on without a look at what others have written. */
const TURN_MS_MAX = 1;
/** Hits between two looks at the clock. */
const HITS_PER_LOOK = 64;

/** The changes of one database. */
export class ChangeFeed {
  readonly #source: LogSource;
  readonly #listener: FeedListener;
  readonly #ring = new Ring();
  #position: Position | undefined;
  #schemaVersion: number | undefined;
  #dataVersion = -1;
  /** What `settled` was before the last look. */
  #applied = -1;
  #epoch = 0;
  #resetReason: ResetReason | undefined;
  #isRunning = false;
  #isTurnOpen = false;
  #turnStartMs = 0;
  #hitsInTurn = 0;
  #peeksInTurn = 0;
  readonly #endTurn = (): void => {
    this.#isTurnOpen = false;
  };

  constructor(source: LogSource, listener: FeedListener) {
    this.#source = source;
    this.#listener = listener;
  }

  /** The end of the log at the last look; undefined when there is none to go by. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Another number after each reset: what was begun before it must not be kept. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Why everything was dropped the last time, if it ever was. */
  get resetReason(): ResetReason | undefined {
    return this.#resetReason;
  }

  get schemaVersion(): number | undefined {
    return this.#schemaVersion;
  }

  /** The first place that `since` answers for; it is none before the last reset. */
  get floor(): number {
    return this.#ring.floor;
  }

  /** Begins at the end of the log. */
  start(): void {
    this.#isRunning = true;
    this.#position = undefined;
    this.#schemaVersion = undefined;
    this.catchUp();
  }

  /** Says nothing more until it is started: the log cannot be trusted. */
  stop(): void {
    this.#isRunning = false;
    this.#position = undefined;
    this.#epoch++;
  }

  /** Whether what is in memory is what the database could give now. Looks first where it must. */
  isCurrent(freshness: Freshness): boolean {
    if (!this.#isRunning) return false;
    // A commit that is under way may be in the log or not: both are right at this moment.
    if (this.#source.announced !== this.#applied) return this.catchUp();
    if (freshness === "exclusive" || (freshness === "turn" && this.#isTurnOpen)) return true;
    return this.#check();
  }

  /**
   * Whether hits have held the event loop for as long as they may: the next one is to wait for a
   * later turn.
   */
  isTurnOver(): boolean {
    if (++this.#hitsInTurn < HITS_PER_LOOK || !this.#isTurnOpen) return false;
    this.#hitsInTurn = 0;
    return performance.now() - this.#turnStartMs > TURN_MS_MAX;
  }

  /**
   * As `isCurrent`, for whoever gives an answer in this turn or none: once the turn has gone on for
   * as long as it may, what others have written is looked at again now and then.
   */
  isCurrentStill(freshness: Freshness): boolean {
    if (!this.isCurrent(freshness)) return false;
    if (freshness !== "turn" || ++this.#peeksInTurn < HITS_PER_LOOK) return true;
    this.#peeksInTurn = 0;
    return performance.now() - this.#turnStartMs <= TURN_MS_MAX || this.#check();
  }

  /** Takes in what is in the log. False when it cannot be read now, or there is none to go by. */
  catchUp(): boolean {
    if (!this.#isRunning) return false;
    const { settled } = this.#source;
    try {
      this.#take(this.#source.look(this.#position, this.#schemaVersion));
    } catch (error) {
      if (isSpringhouseError(error, "BUSY")) return false;
      throw error;
    }
    this.#applied = settled;
    this.#beginTurn();
    return this.#position !== undefined;
  }

  /** What was changed after a place; undefined when that is not known any more. */
  since(sequence: number): readonly LoggedChange[] | undefined {
    return this.#ring.since(sequence);
  }

  /** Drops everything and goes on from here. */
  #reset(reason: ResetReason, position: Position | undefined): void {
    this.#begin(position);
    this.#resetReason = reason;
    this.#listener.reset(reason);
  }

  #check(): boolean {
    try {
      if (this.#source.dataVersion() !== this.#dataVersion) return this.catchUp();
    } catch (error) {
      if (isSpringhouseError(error, "BUSY")) return false;
      throw error;
    }
    this.#beginTurn();
    return true;
  }

  #take(look: Look): void {
    const { dataVersion } = look;
    const isFirst = this.#position === undefined;
    // Asked after the look: a commit of our own that it has seen was announced before.
    const isOwn = this.#source.announced !== this.#applied;
    const isOthers = dataVersion !== this.#dataVersion && !isOwn;
    const isSchemaNew = look.schemaVersion !== this.#schemaVersion;
    this.#dataVersion = dataVersion;
    this.#schemaVersion = look.schemaVersion;
    if (isFirst) this.#begin(look.position);
    else if (isSchemaNew) this.#reset("schema", look.position);
    else if (!look.reachesBack) this.#reset("history", look.position);
    else if (isOthers && look.position?.sequence === this.#position?.sequence) {
      this.#reset("unlogged", look.position);
    } else if (look.changes.length > 0 || look.position !== this.#position) {
      this.#position = look.position;
      this.#ring.add(look.changes);
      this.#listener.changed(look.changes);
    }
  }

  #begin(position: Position | undefined): void {
    this.#position = position;
    this.#epoch++;
    this.#ring.reset(position?.sequence ?? 0);
  }

  #beginTurn(): void {
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    this.#hitsInTurn = 0;
    this.#peeksInTurn = 0;
    this.#turnStartMs = performance.now();
    // A tick comes when no microtask is left: at the end of the macrotask that runs now.
    process.nextTick(this.#endTurn);
  }
}
