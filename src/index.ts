/** Springhouse: the layered data layer for TypeScript. */

export { defineConfig } from "./config/define.ts";
export type { Clock } from "./core/clock.ts";
export type { Duration } from "./core/duration.ts";
export {
  type ErrorCode,
  type Issue,
  isSpringhouseError,
  SpringhouseError,
} from "./core/errors.ts";
export type { Database } from "./open/database.ts";
export type { OpenOptions, PoolOptions } from "./open/options.ts";
export { open } from "./open.ts";
export { many, one } from "./repository/relation.ts";
export type { Repository } from "./repository/repository.ts";
export type { Transaction } from "./repository/transaction.ts";
export { t } from "./schema/column.ts";
export { entity } from "./schema/entity.ts";
export type { InsertOf, KeyOf, PatchOf, PropertyOf, RowOf, TablesOf } from "./schema/types.ts";
export { sql } from "./store/sql.ts";
