/**
 * A tier that misbehaves on demand, around one that does not: for tests of what stands above it.
 *
 * @example
 * const chaos = new ChaosTier(memoryTier({ name: "below" }));
 * chaos.fault = { kind: "hang" };
 */

import type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../tier/tier.ts";

/** What goes wrong. */
export type Fault =
  | { readonly kind: "none" }
  /** Every call rejects. */
  | { readonly kind: "throw"; readonly error: Error }
  /** No call settles until the fault is changed. */
  | { readonly kind: "hang" }
  /** Every call waits for `until` first. */
  | { readonly kind: "delay"; readonly until: () => Promise<void> }
  /** Reads and looks give something else than what was asked for; a look has no value. */
  | { readonly kind: "corrupt"; readonly change: (entry: TierEntry | undefined) => unknown };

/** A tier with faults. Counts the calls that reached it. */
export class ChaosTier implements Tier {
  readonly name: string;
  /** Calls by the name of the method, those that failed too. */
  readonly calls: Record<string, number> = {};
  readonly #tier: Tier;
  #fault: Fault = { kind: "none" };
  #wake: (() => void)[] = [];

  constructor(tier: Tier, name: string = tier.name) {
    this.#tier = tier;
    this.name = name;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** Changes what goes wrong; calls that hang go on. */
  set fault(fault: Fault) {
    this.#fault = fault;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async getMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (TierEntry | undefined)[]> {
    await this.#suffer("getMany");
    const entries = await this.#tier.getMany(keys, options);
    const fault = this.#fault;
    if (fault.kind !== "corrupt") return entries;
    return entries.map((entry) => fault.change(entry) as TierEntry | undefined);
  }

  async lookMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (EntryLook | undefined)[]> {
    await this.#suffer("lookMany");
    const looks = await this.#tier.lookMany(keys, options);
    const fault = this.#fault;
    if (fault.kind !== "corrupt") return looks;
    return looks.map(
      (look) => fault.change(look as TierEntry | undefined) as EntryLook | undefined,
    );
  }

  async setMany(
    entries: readonly TierEntry[],
    options?: TierCallOptions,
  ): Promise<readonly SetOutcome[]> {
    await this.#suffer("setMany");
    return await this.#tier.setMany(entries, options);
  }

  async expireMany(keys: readonly string[], options?: ExpireOptions): Promise<number> {
    await this.#suffer("expireMany");
    return await this.#tier.expireMany(keys, options);
  }

  async dropMany(keys: readonly string[], options?: TierCallOptions): Promise<number> {
    await this.#suffer("dropMany");
    return await this.#tier.dropMany(keys, options);
  }

  async dropTags(tags: readonly string[], options?: TierCallOptions): Promise<void> {
    await this.#suffer("dropTags");
    await this.#tier.dropTags(tags, options);
  }

  async dropPrefix(prefix: string, options?: TierCallOptions): Promise<number> {
    await this.#suffer("dropPrefix");
    return await this.#tier.dropPrefix(prefix, options);
  }

  async *keys(
    query?: KeysQuery,
    options?: TierCallOptions,
  ): AsyncGenerator<readonly string[], void, undefined> {
    await this.#suffer("keys");
    yield* this.#tier.keys(query, options);
  }

  async clear(options?: TierCallOptions): Promise<void> {
    await this.#suffer("clear");
    await this.#tier.clear(options);
  }

  async sweep(options?: TierCallOptions): Promise<SweepResult> {
    await this.#suffer("sweep");
    return await this.#tier.sweep(options);
  }

  statistics(): TierStatistics {
    return this.#tier.statistics();
  }

  resetStatistics(): void {
    this.#tier.resetStatistics();
  }

  async close(): Promise<void> {
    this.fault = { kind: "none" };
    await this.#tier.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #suffer(method: string): Promise<void> {
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    while (this.#fault.kind === "hang") {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    if (this.#fault.kind === "delay") await this.#fault.until();
    if (this.#fault.kind === "throw") throw this.#fault.error;
  }
}
