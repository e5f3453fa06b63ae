/** Readers that are kept: snapshots and streams. */

import { describe, expect, it, onTestFinished } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { NUMBERS, open, openNumbers } from "./open-database.ts";
import { FakeClock, failureOf, settle, sql, temporaryPath } from "./support.ts";

describe("a snapshot", () => {
  it("sees one state, whatever is written meanwhile", async () => {
    const database = await openNumbers(10);
    const count = sql("SELECT count(*) FROM t");

    const seen = await database.snapshot(async (at) => {
      const before = (await at.read(count)).rows;
      await database.write([sql("DELETE FROM t")]);
      return [before, (await at.read(count)).rows];
    });

    expect(seen).toEqual([[[10]], [[10]]]);
    expect((await database.read(count)).rows).toEqual([[0]]);
  });

  it("gives its thread back when its function throws", async () => {
    const database = await openNumbers(10, { pool: { maxSize: 1 } });

    const failing = database.snapshot(async () => {
      throw new Error("not today");
    });

    await expect(failing).rejects.toThrow("not today");
    expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[10]]);
  });

  it("refuses to write", async () => {
    const database = await openNumbers(10);

    const failing = database.snapshot((at) => at.read(sql("DELETE FROM t")));

    await expect(failing).rejects.toMatchObject({ code: "STATEMENT_REFUSED" });
  });

  it("is ended when it grows too old, so that the log can be cut", async () => {
    const clock = new FakeClock();
    const database = await open({ snapshotMaxAgeMs: 5_000 }, temporaryPath(), { clock });
    await database.write([sql("CREATE TABLE t (v)")]);

    const late = database.snapshot(async (at) => {
      await at.read(sql("SELECT * FROM t"));
      clock.advance(5_000);
      await at.read(sql("SELECT * FROM t"));
    });

    await expect(late).rejects.toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      message: expect.stringContaining("raise snapshotMaxAge"),
    });
    await settle();
    expect(database.statistics()).toMatchObject({ inUse: 0 });
  });
});

describe("a stream", () => {
  it("that its reader has forgotten is ended by close", async () => {
    const database = await openNumbers(2_000);
    const iterator = database
      .stream(sql("SELECT * FROM t"), { chunkRows: 10 })
      [Symbol.asyncIterator]();
    await iterator.next();

    await database.close();

    expect(await failureOf(iterator.next())).toMatchObject({ code: "CLOSED" });
  });

  it("refuses a chunk of no rows", async () => {
    const database = await openNumbers(10);

    const reading = database.stream(sql("SELECT * FROM t"), { chunkRows: 0 }).next();

    await expect(reading).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("fails in its loop when a row cannot be computed, and gives its thread back", async () => {
    const database = await openNumbers(700, { pool: { maxSize: 1 } });
    const statement = sql("SELECT json(CASE id WHEN 650 THEN '{' ELSE '1' END) FROM t");

    let chunks = 0;
    const reading = (async () => {
      for await (const chunk of database.stream(statement)) chunks += chunk.rows.length > 0 ? 1 : 0;
    })();

    await expect(reading).rejects.toMatchObject({ code: "SQL" });
    expect(chunks).toBe(1);
    expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[700]]);
  });
});

describe("a stream that is kept for too long", () => {
  it("is reported with the place that began it", async () => {
    const clock = new FakeClock();
    const pool = { leakDetectionThresholdMs: 2_000 };
    const database = await open({ pool }, temporaryPath(), { clock });
    await database.write([sql(`CREATE TABLE t AS ${NUMBERS(2_000)} SELECT i FROM n`)]);
    const warnings: unknown[] = [];
    const listen = (event: unknown): void => {
      warnings.push(event);
    };
    warningChannel.subscribe(listen);
    onTestFinished(() => {
      warningChannel.unsubscribe(listen);
    });
    async function readSlowly(): Promise<void> {
      for await (const chunk of database.stream(sql("SELECT i FROM t"))) {
        clock.advance(chunk.rows.length > 0 ? 2_000 : 0);
        return;
      }
    }

    await readSlowly();

    expect(warnings).toMatchObject([
      { code: "POOL_LEAK", message: expect.stringContaining("readSlowly") },
    ]);
  });
});

describe("a reader that holds the log back", () => {
  it("is reported when the log has grown long", async () => {
    const database = await openNumbers(10);
    const reported = Promise.withResolvers<unknown>();
    const listen = (event: unknown): void => reported.resolve(event);
    warningChannel.subscribe(listen);
    onTestFinished(() => {
      warningChannel.unsubscribe(listen);
    });

    const warning = await database.snapshot(async (at) => {
      await at.read(sql("SELECT count(*) FROM t"));
      await database.write([sql("INSERT INTO t (v) VALUES (zeroblob(70000000))")]);
      return reported.promise;
    });

    expect(warning).toMatchObject({
      code: "LOG_PINNED",
      message: expect.stringContaining("End long streams and snapshots"),
      fields: { path: database.path, inUse: 1 },
    });
  });
});
