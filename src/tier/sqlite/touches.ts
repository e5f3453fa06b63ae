/**
 * Hits, gathered until there are enough of them to be worth a write.
 *
 * A read never writes. What it would have written (the count, the time of the last use, the life of
 * a sliding entry) waits here, and reads of this process see the renewed life at once. A process
 * that dies loses what waits: some counts, and some renewals.
 *
 * Writing a row for each hit would cost more than the hits. Between two writes only the first
 * 2,000 entries are noted, which is a fair sample of what is used; a sliding entry always is.
 */

import type { Statement } from "../../core/statement.ts";
import type { Head } from "./rows.ts";
import { SLIDE, statement, TOUCH } from "./statements.ts";

/** Entries that are noted between two writes. */
const SAMPLE_MAX = 2_000;
/** Entries that wait at most; sliding ones beyond it are written at once. */
export const TOUCHES_MAX = 10_000;
/** Statements in one unit of the writer. */
const UNIT_MAX = 250;

interface Touch {
  readonly id: number;
  readonly createdMs: number;
  hits: number;
  usedMs: number;
  /** The renewed life; 0 when it does not slide. */
  freshUntilMs: number;
  keepUntilMs: number;
}

/** The life of an entry with what waits to be written. */
export interface Life {
  readonly freshUntilMs: number;
  readonly keepUntilMs: number;
}

/** Hits that wait. */
export class Touches {
  #waiting = new Map<number, Touch>();
  /** Taken, but perhaps not written yet. */
  #leaving: ReadonlyMap<number, Touch> = new Map();

  get size(): number {
    return this.#waiting.size;
  }

  /** Whether a renewed life is not in the file yet. */
  get areSliding(): boolean {
    for (const touches of [this.#waiting, this.#leaving]) {
      for (const { freshUntilMs } of touches.values()) if (freshUntilMs > 0) return true;
    }
    return false;
  }

  /** How long an entry lives, as far as this process knows. */
  lifeOf(head: Head): Life {
    if (head.slidingMs === 0) return head;
    const touch = touchOf(this.#waiting, head) ?? touchOf(this.#leaving, head);
    return touch === undefined || touch.freshUntilMs <= head.freshUntilMs ? head : touch;
  }

  /** Notes a hit and returns the life that the entry has now. */
  hit(head: Head, nowMs: number): Life {
    const life = renewed(head, this.lifeOf(head), nowMs);
    const touch = touchOf(this.#waiting, head);
    if (touch === undefined) {
      if (head.slidingMs === 0 && this.#waiting.size >= SAMPLE_MAX) return life;
      this.#waiting.set(head.id, {
        id: head.id,
        createdMs: head.createdMs,
        hits: 1,
        usedMs: nowMs,
        freshUntilMs: head.slidingMs === 0 ? 0 : life.freshUntilMs,
        keepUntilMs: life.keepUntilMs,
      });
      return life;
    }
    touch.hits++;
    touch.usedMs = nowMs;
    if (head.slidingMs === 0) return life;
    touch.freshUntilMs = life.freshUntilMs;
    touch.keepUntilMs = life.keepUntilMs;
    return { freshUntilMs: touch.freshUntilMs, keepUntilMs: touch.keepUntilMs };
  }

  /** Takes what waits, as units for the writer; say `written` when they are. */
  take(): readonly (readonly Statement[])[] {
    const statements = [...this.#waiting.values()].map((touch) => {
      const { id, createdMs, hits, usedMs, freshUntilMs, keepUntilMs } = touch;
      if (freshUntilMs === 0) return statement(TOUCH, hits, usedMs, id, createdMs);
      return statement(SLIDE, hits, usedMs, freshUntilMs, keepUntilMs, id, createdMs);
    });
    this.#leaving = this.#waiting;
    this.#waiting = new Map();
    const units: Statement[][] = [];
    for (let start = 0; start < statements.length; start += UNIT_MAX) {
      units.push(statements.slice(start, start + UNIT_MAX));
    }
    return units;
  }

  /** The file has what was taken. */
  written(): void {
    this.#leaving = new Map();
  }

  clear(): void {
    this.#waiting.clear();
    this.written();
  }
}

/** An id may have been given to another entry since. */
function touchOf(touches: ReadonlyMap<number, Touch>, { id, createdMs }: Head): Touch | undefined {
  const touch = touches.get(id);
  return touch?.createdMs === createdMs ? touch : undefined;
}

/** A stale entry is not made fresh by being looked at. */
function renewed({ slidingMs }: Head, life: Life, nowMs: number): Life {
  if (slidingMs === 0 || life.freshUntilMs <= nowMs) return life;
  const longerMs = nowMs + slidingMs - life.freshUntilMs;
  if (!(longerMs > 0)) return life;
  return {
    freshUntilMs: nowMs + slidingMs,
    keepUntilMs: life.keepUntilMs + longerMs,
  };
}
