import { describe, expect, it, onTestFinished } from "vitest";
import { queryChannel, slowQueryChannel, warningChannel } from "../../src/core/channels.ts";
import { QueryLog } from "../../src/sqlite/query-log.ts";

function listen(channel: typeof queryChannel): unknown[] {
  const seen: unknown[] = [];
  const onEvent = (event: unknown): void => {
    seen.push(event);
  };
  channel.subscribe(onEvent);
  onTestFinished(() => {
    channel.unsubscribe(onEvent);
  });
  return seen;
}

describe("the query log", () => {
  it("adds up the runs of each text, the costliest first", () => {
    const log = new QueryLog(100, undefined, () => 0);

    log.record("SELECT 1", 1, 1, "inline");
    log.record("SELECT 2", 10, 1, "reader");
    log.record("SELECT 1", 3, 1, "reader");

    expect(log.statistics()).toEqual({
      total: 3,
      totalMs: 14,
      queries: [
        { sql: "SELECT 2", count: 1, totalMs: 10, meanMs: 10, maxMs: 10 },
        { sql: "SELECT 1", count: 2, totalMs: 4, meanMs: 2, maxMs: 3 },
      ],
    });
  });

  it("remembers a bounded number of texts, the ones used last", () => {
    const log = new QueryLog(100, undefined, () => 0);
    log.record("kept", 1, 0, "inline");

    for (let index = 0; index < 2_000; index++) {
      log.record(`SELECT ${index}`, 1, 0, "inline");
      log.record("kept", 1, 0, "inline");
    }

    const { total, queries } = log.statistics();
    expect(total).toBe(4_001);
    expect(queries.length).toBe(500);
    expect(queries[0]).toMatchObject({ sql: "kept", count: 2_001 });
    expect(queries.some(({ sql }) => sql === "SELECT 0")).toBe(false);
  });

  it("tells the debug channel of every run and the slow one of slow runs", () => {
    const all = listen(queryChannel);
    const slow = listen(slowQueryChannel);
    const log = new QueryLog(100, undefined, () => 0);

    log.record("fast", 99.9, 2, "writer");
    log.record("slow", 100, 3, "reader");

    expect(all).toEqual([
      { sql: "fast", ms: 99.9, rows: 2, where: "writer" },
      { sql: "slow", ms: 100, rows: 3, where: "reader" },
    ]);
    expect(slow).toEqual([{ sql: "slow", ms: 100, rows: 3, where: "reader" }]);
  });

  it("echoes every run as a line", () => {
    const lines: string[] = [];
    const log = new QueryLog(
      100,
      (line) => lines.push(line),
      () => 0,
    );

    log.record("SELECT ?", 0.5, 1, "inline");

    expect(lines).toEqual(["inline 500 µs 1 rows: SELECT ?"]);
  });

  it("does not let a failing echo look like a failing statement", () => {
    const warnings = listen(warningChannel);
    const echo = (): void => {
      throw new Error("no terminal");
    };
    const log = new QueryLog(100, echo, () => 0);

    log.record("SELECT 1", 1, 1, "inline");

    expect(log.statistics().total).toBe(1);
    expect(warnings).toMatchObject([{ code: "ECHO_FAILED" }]);
  });

  it("tells an observer of every run until it is disposed of", () => {
    const seen: unknown[] = [];
    const log = new QueryLog(100, undefined, () => 0);
    const observer = log.observe((...run) => seen.push(run));

    log.record("SELECT 1", 2, 3, "inline");
    observer[Symbol.dispose]();
    log.record("SELECT 1", 2, 3, "inline");

    expect(seen).toEqual([["SELECT 1", 2, 3]]);
  });
});

describe("slow queries", () => {
  it("are kept with their time and without literals, the latest first, in a window", () => {
    let nowMs = 1_000;
    const log = new QueryLog(100, undefined, () => nowMs);

    log.record("SELECT * FROM people WHERE name = 'Ann' AND age > 30", 100, 3, "reader");
    log.record("fast", 99.9, 2, "inline");
    nowMs = 5_000;
    log.record("SELECT * FROM t WHERE id = ?", 250, 1, "writer");

    const late = { sql: "SELECT * FROM t WHERE id = ?", ms: 250, rows: 1, where: "writer" };
    expect(log.slowQueries(4_000)).toEqual([
      { ...late, atMs: 5_000 },
      {
        sql: "SELECT * FROM people WHERE name = ? AND age > ?",
        ms: 100,
        rows: 3,
        where: "reader",
        atMs: 1_000,
      },
    ]);
    expect(log.slowQueries(3_999)).toEqual([{ ...late, atMs: 5_000 }]);
  });

  it("are the last hundred, and long texts are cut", () => {
    let nowMs = 0;
    const log = new QueryLog(100, undefined, () => nowMs);

    for (nowMs = 1; nowMs <= 250; nowMs++) log.record(`SELECT a${nowMs}`, 100, 0, "reader");
    log.record(`SELECT ${"a, ".repeat(10_000)} b`, 100, 0, "reader");

    const kept = log.slowQueries(Number.POSITIVE_INFINITY);
    expect(kept.length).toBe(100);
    expect(kept[0]?.sql.length).toBe(4_001);
    expect(kept.slice(1).map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 99 }, (_, index) => 250 - index),
    );
  });
});
