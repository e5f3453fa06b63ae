/** Caches that write behind, over a source that can be broken. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import type { CategoryCache } from "../../src/cache/category.ts";
import type { CategoryOptions } from "../../src/cache/options.ts";
import type { SourceChange } from "../../src/cache/strategy.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { type MemoryTier, memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { stateOf } from "./support.ts";

/** A source that notes what it is told, and can be broken or held up. */
export class Source {
  readonly values = new Map<string, unknown>();
  readonly batches: (readonly SourceChange[])[] = [];
  error: Error | undefined;
  wait: Promise<void> | undefined;
  calls = 0;

  readonly save = async (changes: readonly SourceChange[]): Promise<void> => {
    this.calls++;
    await this.wait;
    if (this.error !== undefined) throw this.error;
    this.batches.push(changes);
    for (const change of changes) {
      if (change.kind === "set") this.values.set(change.key, change.value);
      else this.values.delete(change.key);
    }
  };
}

export interface Opened {
  readonly cache: Cache;
  readonly mine: CategoryCache;
  readonly source: Source;
  readonly memory: MemoryTier;
  readonly clock: FakeClock;
  readonly path: string;
}

export function open(
  options: Partial<Opened> & { category?: CategoryOptions; version?: string } = {},
): Opened {
  const { clock = new FakeClock(), source = new Source(), path = newPath() } = options;
  const memory = memoryTier({ clock });
  const cache = createCache({
    clock,
    version: options.version ?? "1",
    journal: path,
    tiers: [memory],
    categories: { mine: { strategy: "write-behind", save: source.save, ...options.category } },
  });
  onTestFinished(async () => {
    await closeIn(cache, clock);
  });
  return { cache, mine: cache.category("mine"), source, memory, clock, path };
}

/** Closes a cache whose `save` may hang. */
export async function closeIn(cache: Cache, clock: FakeClock): Promise<void> {
  const closed = cache.close();
  while ((await stateOf(closed)) === "pending") {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await closed;
}

export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "cache", "journal.db");
}

/** Waits in real time, for work in other threads, while the clock may be moved. */
export async function until(
  isSo: () => boolean,
  move: () => void = () => undefined,
): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 5_000) throw new Error(`it never came: ${isSo}`);
    move();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
