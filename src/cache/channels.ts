/**
 * What a cache tells of, as channels of Node's `diagnostics_channel`. Unheard, each costs one
 * property read. Payloads carry keys and never values.
 *
 * @example
 * import { subscribe } from "node:diagnostics_channel";
 * subscribe("springhouse:cache:miss", ({ category, key }) => console.log(category, key));
 */

import { channel } from "node:diagnostics_channel";

/** What happened. */
export type CacheEventName =
  | "hit"
  | "miss"
  | "set"
  | "drop"
  /** Memory removed an entry for room; other tiers only count. */
  | "evict"
  /** Memory removed an entry because its time was over; other tiers only count. */
  | "expire"
  /** A value past its time was served, because that was asked for or the load failed. */
  | "stale"
  /** A tier or a load failed. */
  | "error";

/** What every channel carries. */
export interface CacheEvent {
  /** The namespace of the cache. */
  readonly cache: string;
  readonly category: string;
  /** The key; of drops of many also `prefix:…`, `tag:…` or `*`. */
  readonly key: string;
  /** Where; "load" for loads. */
  readonly tier: string;
  readonly error?: unknown;
}

type Channel = ReturnType<typeof channel>;

/** The channels by name: `springhouse:cache:hit` and so on. */
export const cacheChannels: Readonly<Record<CacheEventName, Channel>> = {
  hit: channel("springhouse:cache:hit"),
  miss: channel("springhouse:cache:miss"),
  set: channel("springhouse:cache:set"),
  drop: channel("springhouse:cache:drop"),
  evict: channel("springhouse:cache:evict"),
  expire: channel("springhouse:cache:expire"),
  stale: channel("springhouse:cache:stale"),
  error: channel("springhouse:cache:error"),
};
