import { describe, expect, it, onTestFinished } from "vitest";
import { Checkpointer, type LogTrouble } from "../../src/sqlite/checkpointer.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { FakeClock, sql, temporaryPath } from "./support.ts";

const PRAGMAS = ["journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 0"];

function open(): {
  readonly connection: Connection;
  readonly checkpointer: Checkpointer;
  readonly clock: FakeClock;
  readonly troubles: LogTrouble[];
  readonly path: string;
  commit(pages: number): void;
  left(): number;
} {
  const path = temporaryPath();
  const connection = new Connection({ path, readOnly: false, pragmas: PRAGMAS });
  const clock = new FakeClock();
  const troubles: LogTrouble[] = [];
  const checkpointer = new Checkpointer(connection, clock, (trouble) => troubles.push(trouble));
  onTestFinished(() => {
    checkpointer.close();
    connection.close();
  });
  connection.control("CREATE TABLE t (v)");
  const commit = (pages: number): void => {
    connection.run(sql(`INSERT INTO t VALUES (zeroblob(${pages * 4_096}))`));
    checkpointer.afterCommit();
  };
  const left = (): number => {
    using observer = new Connection({ path, readOnly: true, pragmas: [] });
    const [, frames, done] = observer.ask("PRAGMA wal_checkpoint(NOOP)");
    return Number(frames) - Number(done);
  };
  return { connection, checkpointer, clock, troubles, path, commit, left };
}

describe("the checkpointer", () => {
  it("leaves a short young log alone and clears it when it grows old", () => {
    const { clock, commit, left } = open();
    commit(10);

    clock.advance(500);
    const young = left();
    clock.advance(600);

    expect(young).toBeGreaterThan(10);
    expect(left()).toBe(0);
  });

  it("clears a long log as soon as the writer is idle", () => {
    const { clock, commit, left } = open();
    commit(1_100);
    const before = left();

    clock.advance(25);

    expect(before).toBeGreaterThan(1_100);
    expect(left()).toBe(0);
  });

  it("does not interrupt a busy writer for a log of moderate length", () => {
    const { clock, commit, left } = open();

    for (let round = 0; round < 32; round++) {
      commit(50);
      clock.advance(5);
    }

    expect(left()).toBeGreaterThan(1_500);
  });

  it("interrupts a busy writer when the log has grown long", () => {
    const { clock, commit, left } = open();

    for (let round = 0; round < 64; round++) {
      commit(100);
      clock.advance(5);
    }

    expect(left()).toBeLessThan(2_600);
  });

  it("reports a reader that holds the log back, once, and clears the log when it is gone", () => {
    const { clock, commit, left, troubles, path } = open();
    commit(1);
    using reader = new Connection({ path, readOnly: true, pragmas: [] });
    reader.control("BEGIN");
    reader.ask("SELECT count(*) FROM t");

    for (let round = 0; round < 10; round++) {
      commit(2_000);
      clock.advance(1_100);
    }
    const held = left();
    reader.control("COMMIT");
    clock.advance(3_000);

    expect(held).toBeGreaterThan(16_000);
    expect(troubles).toEqual([
      { kind: "pinned", frames: expect.any(Number), checkpointed: expect.any(Number) },
    ]);
    expect(left()).toBe(0);
  });

  it("waits for the end of an open transaction", () => {
    const { clock, connection, commit, left } = open();
    commit(1_100);
    connection.control("BEGIN IMMEDIATE");
    connection.run(sql("INSERT INTO t VALUES (1)"));

    clock.advance(2_000);
    const during = left();
    connection.control("COMMIT");
    clock.advance(2_000);

    expect(during).toBeGreaterThan(1_000);
    expect(left()).toBe(0);
  });

  it("reports a failure once instead of failing the write, and goes on when it can", () => {
    const clock = new FakeClock();
    const troubles: LogTrouble[] = [];
    const looks: string[] = [];
    let full = true;
    const connection = {
      inTransaction: false,
      ask: (question: string): number[] => {
        looks.push(question);
        if (full) throw new Error("database or disk is full");
        return [0, 2_000, question.includes("PASSIVE") ? 2_000 : 0];
      },
    };
    const checkpointer = new Checkpointer(connection, clock, (trouble) => troubles.push(trouble));

    for (let commit = 0; commit < 64; commit++) checkpointer.afterCommit();
    clock.advance(5_000);
    full = false;
    clock.advance(2_000);
    const done = looks.length;
    clock.advance(10_000);

    expect(troubles).toEqual([{ kind: "failed", message: "database or disk is full" }]);
    expect(looks.at(-1)).toContain("PASSIVE");
    expect(looks.length).toBe(done);
  });

  it("stops when it is closed", () => {
    const { checkpointer, clock, commit, left } = open();
    commit(1_100);

    checkpointer.close();
    clock.advance(5_000);

    expect(left()).toBeGreaterThan(1_000);
  });
});
