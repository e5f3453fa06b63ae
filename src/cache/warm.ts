/** Loading what will be wanted before it is: in batches, a few at a time. */

import { throwIfAborted } from "../core/abort.ts";
import { assertFunction } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";
import type { Key } from "./key.ts";
import { refuseUnknownLife } from "./life.ts";
import type { ReadOptions } from "./options.ts";

/** How to warm. */
export interface WarmOptions extends Omit<ReadOptions, "allowStale"> {
  /** Keys in one call of the load. Default: 100. */
  readonly batchSize?: number;
  /** Calls of the load at the same time. Default: 2. */
  readonly concurrency?: number;
  /** Told after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a call may say beside the life of its entries. */
const WARM_KEYS = ["tags", "signal", "refresh", "batchSize", "concurrency", "onProgress"];

/** What warming did. Keys that are neither missing nor among the failures are there. */
export interface WarmResult {
  readonly keys: number;
  /** Keys that no tier has: the load gave nothing for them, or no tier could keep it. */
  readonly missing: readonly Key[];
  /** Keys whose load failed, a list for each batch. */
  readonly failures: readonly { readonly keys: readonly Key[]; readonly error: unknown }[];
}

/** Reads a batch, loading what is missing. Rejects for what is wrong with the call itself. */
export type SettleBatch = (
  keys: readonly Key[],
  options: ReadOptions,
) => Promise<readonly PromiseSettledResult<unknown>[]>;

/** Says what was kept. */
export interface Kept {
  /** Waits until the tiers have what was loaded. */
  flush(): Promise<void>;
  has(key: Key): Promise<boolean>;
}

export async function warm(
  settle: SettleBatch,
  kept: Kept,
  keys: readonly Key[],
  options: WarmOptions,
): Promise<WarmResult> {
  refuseUnknownLife(options, WARM_KEYS, "warm");
  const { batchSize = 100, concurrency = 2, onProgress, ...read } = options;
  assertCount("batchSize", batchSize);
  assertCount("concurrency", concurrency);
  if (onProgress !== undefined) assertFunction("warm: onProgress", onProgress);
  throwIfAborted(read.signal, "Warming");
  // Without keys, too, what is wrong with the other options is to be told.
  await settle([], read);
  const missing: Key[] = [];
  const failures: { keys: readonly Key[]; error: unknown }[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < keys.length) {
      throwIfAborted(read.signal, "Warming");
      const batch = keys.slice(next, next + batchSize);
      next += batchSize;
      const results = await settle(batch, read);
      const failed = batch.filter((_, index) => results[index]?.status === "rejected");
      const first = results.find(({ status }) => status === "rejected");
      throwIfAborted(read.signal, "Warming");
      if (first?.status === "rejected") failures.push({ keys: failed, error: first.reason });
      // What a tier cannot take now waits in its box, and is tried again.
      await kept.flush().catch(() => undefined);
      for (const [index, key] of batch.entries()) {
        if (results[index]?.status === "fulfilled" && !(await kept.has(key))) missing.push(key);
      }
      done += batch.length;
      onProgress?.(done, keys.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  throwIfAborted(read.signal, "Warming");
  return { keys: keys.length, missing, failures };
}

function assertCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  const message = `${name}: ${shown(value)} is not a whole number from 1.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { [name]: value } });
}
