/** The tiered cache alone: `springhouse/cache`. */

export {
  type ErrorCode,
  type ErrorDetails,
  isSpringhouseError,
  SpringhouseError,
} from "../core/errors.ts";
export { fileTier } from "../tier/file/file-tier.ts";
export type { FileTierOptions } from "../tier/file/options.ts";
export { type MemoryTier, memoryTier } from "../tier/memory/memory-tier.ts";
export type { MemoryTierOptions } from "../tier/memory/options.ts";
export type { PolicyName } from "../tier/memory/policy.ts";
export { nullTier } from "../tier/null-tier.ts";
export type { Compression } from "../tier/payload.ts";
export type { SqliteTierOptions } from "../tier/sqlite/options.ts";
export { sqliteTier } from "../tier/sqlite/sqlite-tier.ts";
export type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  LeaseHost,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../tier/tier.ts";
export {
  type CacheManagerCategory,
  type CacheManagerEntry,
  type CacheManagerLike,
  type CacheManagerOptions,
  cacheManager,
  type OfValue,
  type RawValue,
  type WrapOptions,
} from "./adapters/cache-manager.ts";
export {
  type KeyvCategory,
  type KeyvStore,
  type KeyvStoreEntry,
  type KeyvStoreOptions,
  keyvStore,
} from "./adapters/keyv.ts";
export { type Cache, createCache } from "./cache.ts";
export { type CachedFunction, type CachedOptions, cached } from "./cached.ts";
export type { CategoryCache, ListOptions } from "./category.ts";
export { type CacheEvent, type CacheEventName, cacheChannels } from "./channels.ts";
export type { Explanation, TierExplanation } from "./explain.ts";
export type { GuardStatistics } from "./guarded-tier.ts";
export type { Key, KeyPart } from "./key.ts";
export type { Life, LifeOptions } from "./life.ts";
export type {
  Load,
  LoadContext,
  LoadedMany,
  LoadMany,
  LoadManyContext,
  StaleValue,
} from "./load.ts";
export type { LoadedAs, Lookup } from "./lookup.ts";
export type { CacheOptions, CallOptions, CategoryOptions, ReadOptions } from "./options.ts";
export { cachePresets } from "./presets.ts";
export type { RefreshOptions } from "./refresh.ts";
export { type Session, type SessionChange, session } from "./session.ts";
export type { CacheStatistics, CategoryStatistics, TierReport } from "./statistics.ts";
export type { Save, Source, SourceChange, StrategyName } from "./strategy.ts";
export type { WarmOptions, WarmResult } from "./warm.ts";
