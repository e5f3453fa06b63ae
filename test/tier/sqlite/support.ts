/** What the tests of the SQLite tier share. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { SqliteTierOptions } from "../../../src/tier/sqlite/options.ts";
import { type SqliteTier, sqliteTier } from "../../../src/tier/sqlite/sqlite-tier.ts";
import type { Tier, TierEntry } from "../../../src/tier/tier.ts";

/** A path that is removed when the test is over. */
export function temporaryPath(name = "cache.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-tier-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

/** A tier that is closed when the test is over. */
export function openTier(options: SqliteTierOptions = {}): SqliteTier {
  const tier = sqliteTier({ path: temporaryPath(), sweepEvery: 0, ...options });
  onTestFinished(() => tier.close());
  return tier;
}

/** An entry made a second ago, so that no clock takes it for one from the future. */
export function entry(key: string, change: Partial<TierEntry> = {}): TierEntry {
  const nowMs = Date.now() - 1_000;
  return {
    key,
    value: `value of ${key}`,
    category: "general",
    createdMs: nowMs,
    freshUntilMs: nowMs + 3_600_000,
    keepUntilMs: nowMs + 3_600_000,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
    ...change,
  };
}

/** As many entries: "PREFIX0", "PREFIX1", … */
export function entries(
  count: number,
  prefix = "key ",
  change: Partial<TierEntry> = {},
): TierEntry[] {
  return Array.from({ length: count }, (_, index) => entry(`${prefix}${index}`, change));
}

/** The values of keys. */
export async function valuesOf(tier: Tier, keys: readonly string[]): Promise<unknown[]> {
  return (await tier.getMany(keys)).map((found) => found?.value);
}

/** All keys that a tier lists, sorted. */
export async function listed(tier: Tier): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of tier.keys()) keys.push(...chunk);
  return keys.sort();
}

/** Asks the file as any other program could. */
export function query(path: string, sql: string, ...parameters: string[]): unknown[] {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    return database.prepare(sql).all(...parameters);
  } finally {
    database.close();
  }
}

/** What the file keeps in its triggers must equal what a recount finds. */
export function drift(path: string): unknown[] {
  return [
    ...query(
      path,
      `SELECT category, entries, bytes FROM cache_totals WHERE entries <> 0 OR bytes <> 0
       EXCEPT SELECT category, count(*), sum(size_bytes) FROM cache_entries GROUP BY category`,
    ),
    ...query(
      path,
      `SELECT category, count(*), sum(size_bytes) FROM cache_entries GROUP BY category
       EXCEPT SELECT category, entries, bytes FROM cache_totals`,
    ),
    ...query(
      path,
      `SELECT 'part', id FROM cache_parts
       WHERE id / 4096 NOT IN (SELECT parts FROM cache_entries WHERE parts IS NOT NULL)`,
    ),
    ...query(
      path,
      `SELECT 'pair', tag_id, entry_id FROM cache_entry_tags
       WHERE entry_id NOT IN (SELECT id FROM cache_entries WHERE tags IS NOT NULL)
         OR tag_id NOT IN (SELECT id FROM cache_tags)`,
    ),
    ...query(
      path,
      `SELECT 'tags', e.id FROM cache_entries AS e WHERE
       (SELECT count(DISTINCT value) FROM json_each(e.tags)) <>
       (SELECT count(*) FROM cache_entry_tags WHERE entry_id = e.id AND epoch = e.epoch)`,
    ),
  ];
}
