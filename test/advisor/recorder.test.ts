import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WorkloadRecorder } from "../../src/advisor/recorder.ts";
import { parseWorkload, readWorkload } from "../../src/advisor/workload.ts";
import { warningChannel } from "../../src/core/channels.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { QueryLog } from "../../src/sqlite/query-log.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { makeFolder } from "./support.ts";

const Task = entity("tasks", { id: t.int().primaryKey(), title: t.text() });

function made(): { log: QueryLog; path: string; clock: FakeClock; recorder: WorkloadRecorder } {
  const path = join(makeFolder(), "workload.json");
  const log = new QueryLog(100, undefined, () => 0);
  const clock = new FakeClock();
  return { log, path, clock, recorder: new WorkloadRecorder(log, path, clock) };
}

describe("an application that records", () => {
  it("leaves its statements with counts and without values, for its owner alone", async () => {
    const folder = makeFolder();
    const recordWorkload = join(folder, "workload.json");
    {
      const url = `sqlite:${join(folder, "app.db")}`;
      await using db = await open({ url, entities: [Task], recordWorkload });
      await db.repository(Task).create({ title: "secret" });
      for (let id = 1; id <= 3; id++)
        await db.execute("SELECT title FROM tasks WHERE id = ?", [id]);
    }

    const { statements } = await readWorkload(recordWorkload);

    const text = readFileSync(recordWorkload, "utf8");
    expect(statements).toContainEqual({
      sql: "SELECT title FROM tasks WHERE id = ?",
      count: 3,
      totalMs: expect.any(Number),
      rows: 1,
    });
    expect(statements.some(({ sql }) => /^insert into/i.test(sql))).toBe(true);
    expect(text).not.toContain("secret");
    expect(text).not.toContain("springhouse_");
    expect(statSync(recordWorkload).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(["app.db", "workload.json"]);
  });
});

describe("a recording", () => {
  it("keeps a literal that is part of the program, and none that is a value", async () => {
    const { log, path, recorder } = made();
    const runs = [
      "SELECT * FROM cards WHERE done = 0 AND id = ?",
      "SELECT * FROM cards WHERE done = 0 AND id = ?",
      "SELECT * FROM people WHERE name = 'Ann'",
      "SELECT * FROM people WHERE name = 'Bob'",
      "SELECT * FROM people WHERE mail = 'ann@example.org'",
      "PRAGMA user_version",
      "CREATE TABLE t (a)",
    ];

    for (const sql of runs) log.record(sql, 2, 1, "reader");
    await recorder[Symbol.asyncDispose]();

    const { statements } = await readWorkload(path);
    expect(statements.map(({ sql, count }) => [sql, count])).toEqual([
      ["SELECT * FROM cards WHERE done = 0 AND id = ?", 2],
      ["SELECT * FROM people WHERE name = ?", 2],
      ["SELECT * FROM people WHERE mail = ?", 1],
    ]);
  });

  it("is written every minute, and adds to what the file has", async () => {
    const { log, path, clock, recorder } = made();

    log.record("SELECT 1 FROM t", 5, 1, "reader");
    clock.advance(60_000);
    await recorder.flush();
    log.record("SELECT 1 FROM t", 7, 2, "reader");
    clock.advance(30_000);
    await recorder[Symbol.asyncDispose]();
    log.record("SELECT 1 FROM t", 7, 2, "reader");
    await recorder.flush();

    expect(await readWorkload(path)).toEqual({
      recordedMs: 90_000,
      statements: [{ sql: "SELECT ? FROM t", count: 2, totalMs: 12, rows: 3 }],
    });
  });

  it("is bounded: the statements that took most time stay", async () => {
    const { log, path, recorder } = made();

    for (let index = 0; index < 500; index++) log.record(`SELECT a${index} FROM t`, 1, 1, "reader");
    await recorder.flush();
    for (let index = 0; index < 600; index++) log.record(`SELECT b${index} FROM t`, 9, 1, "reader");
    await recorder[Symbol.asyncDispose]();

    const { statements } = await readWorkload(path);
    expect(statements.length).toBe(500);
    expect(statements.every(({ sql }) => sql.startsWith("SELECT b"))).toBe(true);
  });

  it("does not overwrite a file that holds something else, and says so", async () => {
    const { log, path, recorder } = made();
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    warningChannel.subscribe(onWarning);
    onTestFinished(() => void warningChannel.unsubscribe(onWarning));
    writeFileSync(path, '{ "mine": true }');

    log.record("SELECT 1 FROM t", 5, 1, "reader");
    await recorder[Symbol.asyncDispose]();

    expect(readFileSync(path, "utf8")).toBe('{ "mine": true }');
    expect(warnings).toMatchObject([{ code: "WORKLOAD_NOT_RECORDED" }]);
  });
});

describe("a workload in a file", () => {
  it("may be a script: each statement as often as it stands there", () => {
    const script = "-- daily\nSELECT 1; SELECT ';' FROM t;\nSELECT 1;";

    expect(parseWorkload(script, "daily.sql")).toEqual({
      recordedMs: 0,
      statements: [
        { sql: "SELECT 1", count: 2, totalMs: 0, rows: 0 },
        { sql: "SELECT ';' FROM t", count: 1, totalMs: 0, rows: 0 },
      ],
    });
  });

  it.each([
    ["{", "w.json cannot be used"],
    ['{ "format": "springhouse-workload-1", "recordedMs": -1, "statements": [] }', "no recorded"],
    ['{ "format": "springhouse-workload-1", "recordedMs": 1, "statements": [{}] }', "no recorded"],
    ["SELECT 'open", "w.json:1"],
    [Array.from({ length: 501 }, (_, i) => `SELECT ${i};`).join("\n"), "w.json:501"],
  ])("is refused with its name: %.20s", (text, message) => {
    expect(() => parseWorkload(text, "w.json")).toThrow(message);
  });

  it("is refused when it is not there", async () => {
    await expect(readWorkload("/nowhere/w.json")).rejects.toThrow("/nowhere/w.json");
  });
});
