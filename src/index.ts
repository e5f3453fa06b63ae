/** Springhouse: the layered data layer for TypeScript. */

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
export { type Catalog, createCatalog } from "./schema/catalog.ts";
export { type Column, t } from "./schema/column.ts";
export { entity } from "./schema/entity.ts";
export type { Dialect } from "./schema/physical.ts";
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
export { sql } from "./store/sql.ts";
export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "./store/sqlite/store.ts";
export type { Session, Statement, Store, StoreTransaction } from "./store/store.ts";
