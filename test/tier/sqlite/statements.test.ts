import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { fromStored, toStored } from "../../../src/tier/sqlite/key-text.ts";
import { CREATE } from "../../../src/tier/sqlite/schema.ts";
import * as statements from "../../../src/tier/sqlite/statements.ts";
import { ask, DROPPED, ENTRIES, HEADS } from "../../../src/tier/sqlite/statements.ts";

/** Small by their nature: a row for each category, lease, dropped prefix, and tag of an entry. */
const SMALL = new RegExp(
  "^SCAN (?:cache_totals|cache_leases|gone|CONSTANT ROW|\\(subquery-\\d\\)|" +
    "json_each VIRTUAL TABLE.*|cache_entries USING COVERING INDEX idx_access)$",
);

describe("the statements of the SQLite tier", () => {
  const database = new DatabaseSync(":memory:");
  for (const { sql } of CREATE) database.exec(sql);
  const texts = Object.entries(statements).filter(([, sql]) => typeof sql === "string");

  it.each(texts as [string, string][])("%s goes through no table", (_, sql) => {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();

    const details = plan.map(({ detail }) => String(detail));
    expect(details.filter((each) => each.startsWith("SCAN") && !SMALL.test(each))).toEqual([]);
  });

  it.each([
    ["ENTRIES", ENTRIES],
    ["HEADS", HEADS],
    ["DROPPED", DROPPED],
  ])("%s is one search by a unique index, which the main thread may run", (_, question) => {
    for (const count of [1, 2, 64]) {
      const { sql, parameters } = ask(question, new Array(count).fill("a"));
      const [step, ...more] = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();

      expect(step?.["detail"]).toMatch(/^SEARCH \w+ USING INDEX sqlite_autoindex_\w+ \(\w+=\?\)$/);
      const isPrefix = (detail: unknown): boolean =>
        detail === "SCAN gone" || /^CORRELATED SCALAR SUBQUERY \d$/.test(String(detail));
      expect(more.filter(({ detail }) => !isPrefix(detail))).toEqual([]);
      expect(parameters.length).toBeLessThanOrEqual(64);
    }
  });

  it("continue lists where they were left", () => {
    const planOf = (sql: string): string =>
      JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());

    expect(planOf(statements.LIST)).toContain("(key>? AND key<?)");
    expect(planOf(statements.LIST_TAG)).toContain("(tag_id=? AND (epoch,entry_id)>(?,?))");
  });

  it("have the columns that hand-written caches have", () => {
    const columns = database.prepare("PRAGMA table_info(cache_entries)").all();

    expect(columns.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "key",
        "value",
        "category",
        "created_at",
        "expires_at",
        "access_count",
        "size_bytes",
      ]),
    );
  });
});

describe("a stored text", () => {
  it.each([
    "plain",
    "",
    "é👩‍👩‍👧",
    "a\0b",
    "\uffff",
    "\uffff0000",
    "\ud83d",
    "\ude00\ud83d",
    "half \ud83d and whole 😀 and half \ude00",
  ])("%j comes back, well-formed in between", (text) => {
    const stored = toStored(text);

    expect(stored.isWellFormed()).toBe(true);
    expect(stored).not.toContain("\0");
    expect(fromStored(stored)).toBe(text);
  });

  it("differs for texts that differ, and begins as they begin", () => {
    const texts = ["\ud83d", "\ude00", "\uffff", "\uffffd83d", "\0", "a\0", "a"];

    expect(new Set(texts.map(toStored)).size).toBe(texts.length);
    expect(toStored("a\0b").startsWith(toStored("a\0"))).toBe(true);
  });
});
