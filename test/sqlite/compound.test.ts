import { describe, expect, it } from "vitest";
import { laterParts } from "../../src/sqlite/compound.ts";

describe("the later parts of a compound SELECT", () => {
  it.each([
    ["SELECT a FROM t", []],
    ["SELECT 'union' FROM t -- UNION SELECT", []],
    ["SELECT a FROM t UNION SELECT b FROM u", [" SELECT b FROM u"]],
    ["select 1 union all select 2 Except values (3)", [" select 2 ", " values (3)"]],
    ["SELECT a FROM t UNION SELECT b FROM u ORDER BY a LIMIT 1", [" SELECT b FROM u "]],
    ["SELECT a FROM t INTERSECT SELECT b FROM u LIMIT 1;", [" SELECT b FROM u "]],
    ["SELECT (SELECT 1 UNION SELECT 2), max(a) FROM t", []],
    ["WITH c AS (SELECT 1 UNION SELECT 2) SELECT * FROM c", []],
    ["WITH c AS (SELECT 1) SELECT * FROM c UNION SELECT 2", ["WITH c AS (SELECT 1)  SELECT 2"]],
    ["INSERT INTO t SELECT 1 UNION SELECT 2 RETURNING a", []],
    ["EXPLAIN SELECT 1 UNION SELECT 2", []],
  ])("of %s are %j", (sql, parts) => {
    expect(laterParts(sql)).toEqual(parts);
  });
});
