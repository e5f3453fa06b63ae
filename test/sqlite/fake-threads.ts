/** Threads made of nothing, a pool of them, and an ear for warnings. */

import { onTestFinished } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { type Lease, Pool } from "../../src/sqlite/pool.ts";
import { type PoolOptions, resolvePoolOptions } from "../../src/sqlite/pool-options.ts";
import { FakeClock, settle } from "./support.ts";

/** A connection of the pool. */
export interface Thread {
  readonly name: number;
  readonly die: () => void;
}

/** Makes threads, counts them, and fails or waits when told to. */
export class Factory {
  readonly live = new Map<number, Thread>();
  made = 0;
  /** Makes the next ones fail. */
  failure: Error | undefined;
  /** Holds the next ones back until it resolves. */
  gate: Promise<void> = Promise.resolve();

  async create(onDeath: () => void): Promise<Thread> {
    const name = ++this.made;
    const { failure } = this;
    await this.gate;
    if (failure !== undefined) throw failure;
    const die = (): void => {
      this.live.delete(name);
      onDeath();
    };
    const thread = { name, die };
    this.live.set(name, thread);
    return thread;
  }

  async destroy(thread: Thread): Promise<void> {
    this.live.delete(thread.name);
  }
}

/** A pool over a factory of fake threads. */
export function openPool(options: PoolOptions = {}): {
  readonly pool: Pool<Thread>;
  readonly factory: Factory;
  readonly clock: FakeClock;
} {
  const factory = new Factory();
  const clock = new FakeClock();
  const pool = new Pool<Thread>(factory, resolvePoolOptions(options), clock);
  return { pool, factory, clock };
}

/** Borrows as many as the pool can have; the clock moves so that it grows. */
export async function borrow(
  pool: Pool<Thread>,
  clock: FakeClock,
  count: number,
): Promise<Lease<Thread>[]> {
  const leases = Array.from({ length: count }, () => pool.acquire());
  for (let step = 0; step < count; step++) {
    await settle();
    clock.advance(10);
  }
  return Promise.all(leases);
}

/** Warnings from now on, as `CODE message`. */
export function warnings(): string[] {
  const seen: string[] = [];
  const listen = (event: unknown): void => {
    const { code, message } = event as { code: string; message: string };
    seen.push(`${code} ${message}`);
  };
  warningChannel.subscribe(listen);
  onTestFinished(() => {
    warningChannel.unsubscribe(listen);
  });
  return seen;
}
