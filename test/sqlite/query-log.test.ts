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
    const log = new QueryLog(100, undefined);

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
    const log = new QueryLog(100, undefined);
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
    const log = new QueryLog(100, undefined);

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
    const log = new QueryLog(100, (line) => lines.push(line));

    log.record("SELECT ?", 0.5, 1, "inline");

    expect(lines).toEqual(["inline 500 µs 1 rows: SELECT ?"]);
  });

  it("does not let a failing echo look like a failing statement", () => {
    const warnings = listen(warningChannel);
    const log = new QueryLog(100, () => {
      throw new Error("no terminal");
    });

    log.record("SELECT 1", 1, 1, "inline");

    expect(log.statistics().total).toBe(1);
    expect(warnings).toMatchObject([{ code: "ECHO_FAILED" }]);
  });
});
