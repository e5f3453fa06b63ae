/**
 * `jira_cache.json`: one answer of JIRA, without a key and without an end of its life. Both follow
 * from what it says: the key from the search and its fields, the end from its moment.
 */

import { endlessPath, storable } from "../exact-json.ts";
import { type Complain, isObject, JsonReader } from "../json-reader.ts";
import type { CachedResponse, JsonObject } from "../model.ts";
import { cacheKeyOf, expiryOf, momentOf } from "../moments.ts";
import { partSecrets } from "../secrets.ts";

/** An answer without its issues, which may be many. */
export interface CacheHead {
  readonly cacheKey: string;
  readonly jql: string;
  readonly envelope: JsonObject;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** Keys that this program adds where the file could not say otherwise; they are not JIRA's. */
const OWN_KEYS = ["cache_key", "created_at", "expires_at"];
/** No answer was given then. */
const NEVER = momentOf(0);

/** Reads what stands beside the issues, of either form. */
export function readCacheHead(value: unknown, madeAt: string, complain: Complain): CacheHead {
  const beside = isObject(value) ? without(value, ["issues"]) : value;
  const rest = storable(partSecrets(beside).rest, [], complain);
  const reader = new JsonReader(rest, [], complain);
  const jql = reader.text(["jql_query", "jql"], "");
  const said = reader.moment(["timestamp", "cached_at", "last_updated"], madeAt);
  const createdAt = reader.moment("created_at", said);
  const fields = reader.any(["fields_requested", "fields"]);
  return {
    cacheKey: reader.text("cache_key", cacheKeyOf(jql, fields)),
    jql,
    envelope: isObject(rest) ? without(rest, OWN_KEYS) : {},
    createdAt,
    expiresAt: reader.moment("expires_at", expiryOf(createdAt)),
  };
}

/** What is wrong with an issue, or undefined: it must have a key and fields. */
export function issueProblem(issue: unknown): string | undefined {
  if (!isObject(issue)) return "is no issue, which would be an object";
  const key = issue["key"];
  if (typeof key !== "string" || key === "") return 'is an issue without a "key"';
  if (!isObject(issue["fields"])) return `is the issue ${key} without "fields"`;
  const endless = endlessPath(issue);
  return endless && `is the issue ${key} with a number that is too large: ${endless.join(".")}`;
}

/** Puts an answer together. */
export function withIssues(head: CacheHead, issues: readonly unknown[]): CachedResponse {
  const { cacheKey, envelope, createdAt, expiresAt } = head;
  return { cacheKey, response: { ...envelope, issues }, createdAt, expiresAt };
}

/** An answer as `jira_cache.json` has it; what does not follow from it is said beside it. */
export function writeCache(cached: CachedResponse): JsonObject {
  const { response, cacheKey, createdAt, expiresAt } = cached;
  const own = { cache_key: cacheKey, created_at: createdAt, expires_at: expiresAt };
  const read = readCacheHead(response, NEVER, () => undefined);
  const isSaid = read.cacheKey === cacheKey && read.createdAt === createdAt;
  return isSaid && read.expiresAt === expiresAt ? response : { ...response, ...own };
}

function without(value: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
