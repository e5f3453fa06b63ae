/** The coherent cache for an application that uses Kysely already. */

export type { CachedFunction } from "../coherence/cached-function.ts";
export type { Freshness } from "../coherence/change-feed.ts";
export type { Explanation } from "../coherence/explain.ts";
export type { LiveChange } from "../coherence/live-difference.ts";
export type { LiveChangesOptions, LiveOptions, LiveQuery } from "../coherence/live-query.ts";
export {
  type ServerSentEventsOptions,
  serverSentEvents,
} from "../coherence/server-sent-events.ts";
export type { CachedOptions, CachingOptions } from "../open/caching-options.ts";
export type { SpringhouseDialect } from "./dialect.ts";
export { springhouseDialect } from "./open.ts";
export type { SpringhouseDialectOptions } from "./options.ts";
