/**
 * Whether the path of an open database still leads to it.
 *
 * A file that was deleted or replaced goes on working for those that have it open, and everything
 * that is written to it is gone when they close it. Nothing tells them, so the writer thread looks
 * itself: before a transaction, but not at each one of a burst, since a look takes microseconds.
 */

import { statSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";

/** So long may writes go nowhere. */
const LOOK_EVERY_MS = 100;

/** Watches one file from when it is made. */
export class FileWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onLost: (message: string) => void;
  readonly #key: string | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lost: string | undefined;

  /** @param onLost is told once. */
  constructor(path: string, clock: Clock, onLost: (message: string) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onLost = onLost;
    this.#key = keyOf(path);
  }

  /** Throws `UNOPENABLE` from when the file was found missing until it is closed. */
  assertInPlace(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#lost === undefined && nowMs - this.#lookedAtMs >= LOOK_EVERY_MS) this.#look(nowMs);
    if (this.#lost === undefined) return;
    throw new SpringhouseError("UNOPENABLE", this.#lost, { fields: { path: this.#path } });
  }

  #look(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    const key = keyOf(this.#path);
    if (key === this.#key) return;
    const how = key === undefined ? "deleted or moved" : "replaced by another file";
    this.#lost =
      `${this.#path} was ${how} while it was open. Nothing more is written to it, since it would ` +
      "be lost. Close it, put the right file in its place, and open it again.";
    this.#onLost(this.#lost);
  }
}

/** Names a file, or nothing where there is none. */
function keyOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? undefined : `${facts.dev}:${facts.ino}`;
}
