/** Springhouse: the layered data layer for TypeScript. */

export type { CachedFunction } from "./coherence/cached-function.ts";
export type { Freshness } from "./coherence/change-feed.ts";
export type { Explanation } from "./coherence/explain.ts";
export type { LiveChange, RowOfResult } from "./coherence/live-difference.ts";
export type { LiveChangesOptions, LiveOptions, LiveQuery } from "./coherence/live-query.ts";
export { type ServerSentEventsOptions, serverSentEvents } from "./coherence/server-sent-events.ts";
export type { ShadowCounts } from "./coherence/shadow.ts";
export type { CachedStatistics, FunctionStatistics } from "./coherence/statistics.ts";
export type { Config, ConfigInput } from "./config/config.ts";
export { defineConfig } from "./config/define.ts";
export { type LoadConfigOptions, loadConfig } from "./config/load.ts";
export type { Clock } from "./core/clock.ts";
export type { Duration } from "./core/duration.ts";
export {
  type ErrorCode,
  type Issue,
  isSpringhouseError,
  SpringhouseError,
} from "./core/errors.ts";
export { ddl } from "./migrate/ddl.ts";
export type { CachedQuery } from "./open/caching.ts";
export type { CachedOptions, CachingOptions } from "./open/caching-options.ts";
export { type ConfiguredCacheOptions, createConfiguredCache } from "./open/configured-cache.ts";
export type { Database } from "./open/database.ts";
export { type EventTypes, eventTypes, type OpenOptions, type PoolOptions } from "./open/options.ts";
export { open } from "./open.ts";
export type { AuditEntry, AuditReader } from "./repository/audit-log.ts";
export type { OrderBy, Where } from "./repository/conditions.ts";
export type { EventListener } from "./repository/event-bus.ts";
export type { CreatedEvent, DeletedEvent, UpdatedEvent } from "./repository/event-types.ts";
export type {
  PermissionDecision,
  PermissionHook,
  PermissionRequest,
} from "./repository/permissions.ts";
export type { RawResult, RawRow } from "./repository/raw.ts";
export type {
  Included,
  Includes,
  ManyRelation,
  OneRelation,
  Relation,
} from "./repository/relation.ts";
export { many, one } from "./repository/relation.ts";
export type { Repository } from "./repository/repository.ts";
export type { UnitSettings } from "./repository/run-unit.ts";
export type { Transaction, TransactionSettings } from "./repository/transaction.ts";
export type {
  EditOptions,
  ListOptions,
  Page,
  PageOptions,
  SearchOptions,
} from "./repository/types.ts";
export type { UnitOfWork } from "./repository/unit-of-work.ts";
export type { UnitRepository } from "./repository/unit-repository.ts";
export type { RebuildOptions, RebuildProgress, RebuildResult } from "./rollup/rebuild.ts";
export type { Rollups } from "./rollup/rollups.ts";
export type { RollupState } from "./rollup/state.ts";
export type { RollupReport, WrongGroup } from "./rollup/verify.ts";
export { type Catalog, createCatalog } from "./schema/catalog.ts";
export { type Column, t } from "./schema/column.ts";
export { entity } from "./schema/entity.ts";
export {
  avg,
  count,
  countDistinct,
  type Measure,
  max,
  min,
  sum,
  topK,
} from "./schema/measure.ts";
export type { Dialect } from "./schema/physical.ts";
export { type Rollup, type RollupOptions, rollup } from "./schema/rollup.ts";
export type {
  ColumnHandle,
  DeclaredEntity,
  DetailTypes,
  Entity,
  InheritedKey,
  InsertOf,
  KeyOf,
  PatchOf,
  PlainTypes,
  PropertyOf,
  RowOf,
  TablesOf,
} from "./schema/types.ts";
export type { DatabaseFacts } from "./sqlite/describe.ts";
export type { PoolStatistics } from "./sqlite/pool.ts";
export type { QueryStatistics } from "./sqlite/query-log.ts";
export type { SlowQuery } from "./sqlite/slow-queries.ts";
export { sql } from "./store/sql.ts";
export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "./store/sqlite/store.ts";
export type { Session, Statement, Store, StoreTransaction } from "./store/store.ts";
