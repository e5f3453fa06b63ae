/**
 * Whether the path of an open database still leads to it.
 *
 * A file that was deleted or replaced goes on working for those that have it open, and everything
 * that is written to it is gone when they close it. Nothing tells them, so the writer thread looks
 * itself: before a transaction, but not at each one of a burst, since a look takes microseconds. A
 * thread that starts late looks before it opens the path, where it would find another file, or make
 * one.
 */

import { statSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";

/** So long may writes go nowhere. */
const LOOK_EVERY_MS = 100;

/** What is watched; without a key, the file that is there when the watch begins. */
export interface Watched {
  readonly path: string;
  readonly key?: string | undefined;
}

/** Watches one file. */
export class FileWatch {
  readonly #path: string;
  readonly #key: string | undefined;
  readonly #clock: Clock;
  readonly #onLost: (message: string) => void;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lost: SpringhouseError | undefined;

  /** @param onLost is told once. */
  constructor({ path, key }: Watched, clock: Clock, onLost: (message: string) => void) {
    this.#path = path;
    this.#key = key ?? fileKey(path);
    this.#clock = clock;
    this.#onLost = onLost;
  }

  /** Throws `UNOPENABLE` from when the file was found missing until it is closed. */
  assertInPlace(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#lost === undefined && nowMs - this.#lookedAtMs >= LOOK_EVERY_MS) this.#look(nowMs);
    if (this.#lost !== undefined) throw this.#lost;
  }

  #look(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#lost = lossOf(this.#path, this.#key);
    if (this.#lost !== undefined) this.#onLost(this.#lost.message);
  }
}

/** Throws `UNOPENABLE` when the path leads to no file any more, or to another one than `key`. */
export function refuseLost(path: string, key: string | undefined): void {
  const loss = key === undefined ? undefined : lossOf(path, key);
  if (loss !== undefined) throw loss;
}

/** Names a file whatever path leads to it, or nothing where there is none. */
export function fileKey(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? undefined : `${facts.dev}:${facts.ino}`;
}

function lossOf(path: string, key: string | undefined): SpringhouseError | undefined {
  const found = fileKey(path);
  if (found === key) return undefined;
  const how = found === undefined ? "deleted or moved" : "replaced by another file";
  const message =
    `${path} was ${how} while it was open. Nothing more is written to it, since it would be ` +
    "lost. Close it, put the right file in its place, and open it again.";
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}
