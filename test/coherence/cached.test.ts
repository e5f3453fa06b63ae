import { copyFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { warningsOf } from "../support/warnings.ts";
import { nextTurn, openPlainly, openWeeks, Task, Week } from "./support.ts";

/** The seconds of a week, and how often they were computed. */
async function openSeconds(freshness: "strict" | "turn" | "exclusive" = "strict") {
  const { db, path } = await openWeeks({ freshness });
  const counted = { runs: 0 };
  const seconds = db.cached("seconds", async (q, weekId: number) => {
    counted.runs++;
    const { total } = await q
      .selectFrom("tasks")
      .select((e) => e.fn.sum<number>("seconds").as("total"))
      .where("week_id", "=", weekId)
      .executeTakeFirstOrThrow();
    return total;
  });
  return { db, path, counted, seconds };
}

describe("a cached function", () => {
  it("runs once for its arguments, whoever calls", async () => {
    const { counted, seconds } = await openSeconds();

    const together = await Promise.all([seconds(1), seconds(1), seconds(2)]);
    const later = await seconds(1);

    expect(together).toEqual([30, 30, 70]);
    expect(later).toBe(30);
    expect(counted.runs).toBe(2);
  });

  it("runs again after a write that touches what it read, and not after others", async () => {
    const { db, counted, seconds } = await openSeconds();
    await seconds(1);

    await db.repository(Task).create({ weekId: 2, seconds: 5 });
    await db.repository(Task).patch(1, { project: "Draco" });
    await db.repository(Week).patch(1, { label: "first" });
    await seconds(1);
    expect(counted.runs).toBe(1);

    await db.repository(Task).patch(3, { weekId: 1 });
    expect(await seconds(1)).toBe(60);
    expect(counted.runs).toBe(2);
  });

  it("sees a cascade, a replaced row and a trigger of the user's own", async () => {
    const { db, seconds } = await openSeconds();
    await db.execute(
      "CREATE TRIGGER more AFTER UPDATE OF label ON weeks BEGIN UPDATE tasks SET seconds = seconds + 1 WHERE week_id = NEW.id; END",
    );
    await db.execute("CREATE UNIQUE INDEX uq ON tasks (project, week_id)");
    expect(await seconds(1)).toBe(30);

    await db.repository(Week).patch(1, { label: "more" });
    expect(await seconds(1)).toBe(32);
    await db.execute("REPLACE INTO tasks VALUES (9, 1, 'Atlas', 100)");
    expect(await seconds(1)).toBe(121);
    await db.repository(Week).delete(1);
    expect(await seconds(1)).toBe(null);
  });

  it("sees what another connection writes in a turn that goes on for long", async () => {
    const { path, seconds } = await openSeconds("turn");
    await seconds(1);
    const isKept = (): boolean => seconds.peek(1) !== undefined;
    expect(isKept()).toBe(true);

    openPlainly(path).exec("UPDATE tasks SET seconds = 1 WHERE week_id = 1");
    const endMs = performance.now() + 5_000;
    while (isKept() && performance.now() < endMs);

    expect(isKept()).toBe(false);
  });

  it("sees what another connection writes: at once when strict, in the next turn otherwise", async () => {
    const strict = await openSeconds("strict");
    const turn = await openSeconds("turn");
    await strict.seconds(1);
    await turn.seconds(1);

    openPlainly(strict.path).exec("UPDATE tasks SET seconds = 1 WHERE week_id = 1");
    openPlainly(turn.path).exec("UPDATE tasks SET seconds = 1 WHERE week_id = 1");

    expect(strict.seconds.peek(1)).toBe(undefined);
    expect(await strict.seconds(1)).toBe(2);
    await nextTurn();
    expect(await turn.seconds(1)).toBe(2);
  });

  it("sees its own write in the same turn, however fresh it is to be", async () => {
    const { db, seconds } = await openSeconds("exclusive");
    await seconds(1);

    await db.repository(Task).patch(1, { seconds: 0 });

    expect(seconds.peek(1)).toBe(undefined);
    expect(await seconds(1)).toBe(20);
  });

  it("reads all that it reads from one snapshot", async () => {
    const { db, path } = await openWeeks({ freshness: "strict" });
    const plain = openPlainly(path);
    const twice = db.cached("twice", async (q) => {
      const before = await q.selectFrom("tasks").selectAll().execute();
      plain.exec("DELETE FROM tasks WHERE id = 1");
      const after = await db.repository(Task).count();
      return [before.length, after];
    });

    expect(await twice()).toEqual([4, 4]);
    expect(await twice()).toEqual([3, 3]);
  });

  it("gives frozen rows, and dates that are the caller's own", async () => {
    const { db } = await openWeeks();
    const rows = db.cached("rows", async (q) => [
      await q.selectFrom("tasks").selectAll().where("id", "=", 1).executeTakeFirst(),
      new Date(0),
    ]);

    const [row, date] = await rows();
    (date as Date).setFullYear(1999);

    expect(() => Object.assign(row as object, { seconds: 0 })).toThrow(TypeError);
    expect((await rows())[1]).toEqual(new Date(0));
  });

  it("keeps null and undefined like any result, and no failure", async () => {
    const { db } = await openWeeks();
    let runs = 0;
    const missing = db.cached("missing", (q, id: number) => {
      runs++;
      if (runs === 1) throw new Error("not now");
      return q.selectFrom("tasks").selectAll().where("id", "=", id).executeTakeFirst();
    });

    await expect(missing(99)).rejects.toThrow("not now");
    expect([await missing(99), await missing(99)]).toEqual([undefined, undefined]);
    expect(runs).toBe(2);
  });

  it("serves a call inside of another one from the same snapshot, and keeps both", async () => {
    const { db, counted, seconds } = await openSeconds();
    let runs = 0;
    const both = db.cached("both", async () => {
      runs++;
      return [await seconds(1), await seconds(2)];
    });
    await seconds(1);

    expect(await both()).toEqual([30, 70]);
    expect(counted.runs).toBe(2);
    await db.repository(Task).patch(4, { seconds: 0 });
    expect(await both()).toEqual([30, 30]);
    expect([runs, counted.runs]).toEqual([2, 3]);
  });

  it("is past the cache inside of a transaction, and leaves nothing of it", async () => {
    const { db, counted, seconds } = await openSeconds();
    await seconds(1);

    await db.transaction(async (tx) => {
      await tx.repository(Task).patch(1, { seconds: 0 });
      expect(await seconds(1)).toBe(30);
      expect(counted.runs).toBe(2);
      expect(seconds.peek(1)).toBe(undefined);
    });

    expect(await seconds(1)).toBe(20);
  });

  it("explains what it has read and what dropped it", async () => {
    const { db, seconds } = await openSeconds();
    await seconds(1);
    expect(seconds.explain(1)).toMatchObject({
      tier: "memory",
      reads: ["tasks(week_id, seconds) where week_id = 1"],
      lastDrop: undefined,
    });

    await db.repository(Task).patch(1, { seconds: 0 });

    const { tier, lastDrop } = seconds.explain(1);
    expect(tier).toBe(undefined);
    expect(lastDrop).toMatch(/a row of tasks \(id = 1\) was updated: seconds from 10 to 0/);
    expect(lastDrop).toMatch(/touches tasks\(week_id, seconds\) where week_id = 1$/);
  });
});

describe("bad use of a cached function", () => {
  it("is refused: a write, by whatever means", async () => {
    const { db } = await openWeeks();
    const writes = [
      db.cached("raw", () => db.execute("DELETE FROM tasks")),
      db.cached("returning", () => db.execute("DELETE FROM tasks RETURNING id")),
      db.cached("repository", () => db.repository(Task).delete(1)),
      db.cached("transaction", () => db.transaction(async () => 1)),
      db.cached("kysely", () => db.query.deleteFrom("tasks").execute()),
    ];

    for (const write of writes) {
      await expect(write()).rejects.toMatchObject({ code: "CACHED_WRITE" });
    }
    expect(await db.repository(Task).count()).toBe(4);
  });

  it("is refused: arguments that are no key, results that are no data, a name that is taken", async () => {
    const { db } = await openWeeks();
    const any = db.cached("any", async (_, value: unknown) => value);
    const method = db.cached("method", async () => ({ call: () => 1 }));

    expect(() => any(() => 1)).toThrow(/function cannot be part of a key/);
    expect(() => any(Symbol("a"))).toThrow(/cannot be part of a key/);
    const dated = Object.assign(new Date(0), { zone: "UTC" });
    const added = Object.assign([1], { more: 1 });
    for (const bent of [new Array(1), Object.assign(new Array(1), { more: 1 }), added, dated]) {
      expect(() => any(bent)).toThrow(/cannot be part of a key/);
    }
    await expect(method()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(() => db.cached("any", async () => 1)).toThrow(/already/);
    expect(() => db.cached("x", async () => 1, { freshness: "soon" as "turn" })).toThrow(/strict/);
    expect(() => db.live((async () => 1) as never)).toThrow(/db.cached/);
  });

  it("falls back with a warning: what is not the same each time is not kept", async () => {
    const { db } = await openWeeks();
    const warnings = warningsOf();
    const random = db.cached("random", () => db.execute("SELECT random() AS r FROM tasks"));
    const now = db.cached("now", (q) =>
      q
        .selectFrom("tasks")
        .select((e) => e.fn("datetime", ["project"]).as("d"))
        .execute(),
    );

    const [first, second] = [await random(), await random()];
    await now();

    expect(first).not.toEqual(second);
    expect(random.explain().notKept).toMatch(/random/);
    expect(now.explain().tier).toBe(undefined);
    expect(warnings.map(({ code }) => code)).toEqual(["NOT_CACHED", "NOT_CACHED"]);
  });

  it("falls back: virtual tables, tables of TEMP and of the schema are not kept", async () => {
    const { db } = await openWeeks();
    await db.execute("CREATE VIRTUAL TABLE words USING fts5(word)");
    warningsOf();
    for (const [name, sql] of [
      ["fts", "SELECT * FROM words WHERE words MATCH 'a'"],
      ["schema", "SELECT count(*) AS n FROM sqlite_schema"],
      ["pragma", "SELECT * FROM pragma_table_info('tasks')"],
    ] as const) {
      const cached = db.cached(name, () => db.execute(sql));
      await cached();

      expect(cached.explain().notKept, name).toBeTypeOf("string");
      expect(cached.peek(), name).toBe(undefined);
    }
  });

  it("drops everything when the schema changes, and finds the new table", async () => {
    const { db, path, seconds } = await openSeconds();
    await seconds(1);

    openPlainly(path).exec(
      "ALTER TABLE tasks ADD COLUMN more INTEGER DEFAULT 1; CREATE TABLE keyless (a, b)",
    );
    expect(seconds.peek(1)).toBe(undefined);
    expect(seconds.explain(1).lastDrop).toBe("the schema was changed");
    const keyless = db.cached("keyless", () => db.execute("SELECT count(*) AS n FROM keyless"));
    expect(await keyless()).toMatchObject({ rows: [{ n: 0 }] });
    openPlainly(path).exec("INSERT INTO keyless VALUES (1, 2)");

    expect(await keyless()).toMatchObject({ rows: [{ n: 1 }] });
    expect(await seconds(1)).toBe(30);
  });

  it("notices triggers that were switched off, drops everything and says so", async () => {
    const { path, seconds } = await openSeconds();
    const warnings = warningsOf();
    await seconds(1);

    // A commit of which no trigger tells: there is none on this table.
    openPlainly(path).exec("INSERT INTO springhouse_log_shapes VALUES (999, 'other', '[]', NULL)");

    expect(seconds.peek(1)).toBe(undefined);
    expect(seconds.explain(1).lastDrop).toMatch(/log of changes does not have/);
    expect(warnings.map(({ code }) => code)).toContain("UNLOGGED_WRITE");
    expect(await seconds(1)).toBe(30);
  });

  it("takes a write-ahead log that begins anew for no write", async () => {
    const { path, seconds } = await openSeconds();
    const warnings = warningsOf();
    await seconds(1);
    const plain = openPlainly(path);

    plain.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    await seconds(1);
    // What does not fit into the cache of pages is written before its commit.
    plain.exec(`PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = 2; BEGIN;
      WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO weeks (label) SELECT hex(zeroblob(200)) FROM n`);
    expect(await seconds(1)).toBe(30);
    plain.exec("COMMIT");

    expect(await seconds(1)).toBe(30);
    expect(warnings).toEqual([]);
  });

  it("makes triggers anew that somebody has dropped", async () => {
    const { path, seconds } = await openSeconds();
    await seconds(1);
    const plain = openPlainly(path);
    const triggers = plain
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'tasks'")
      .all() as { name: string }[];
    for (const { name } of triggers) plain.exec(`DROP TRIGGER ${name}`);
    plain.exec("UPDATE tasks SET seconds = 0");

    expect(await seconds(1)).toBe(0);
    plain.exec("UPDATE tasks SET seconds = 1");
    expect(await seconds(1)).toBe(2);
  });

  it("has its log in a file whose tables have one column", async () => {
    const { open } = await import("../../src/index.ts");
    await using db = await open({ url: "sqlite::memory:", schema: "ignore" });
    await db.execute("CREATE TABLE single (a)");
    const rows = db.cached("rows", () => db.execute("SELECT count(*) AS n FROM single"));

    await rows();
    expect(rows.explain()).toMatchObject({ tier: "memory", notKept: undefined });
    await db.execute("INSERT INTO single VALUES (1)");

    expect((await rows()).rows).toEqual([{ n: 1 }]);
  });

  it("does not take a restored file for the old one", async () => {
    const { db, path, seconds } = await openSeconds();
    await seconds(1);
    const plain = openPlainly(path);
    plain.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(path, `${path}.copy`);
    await db.repository(Task).patch(1, { seconds: 1000 });
    expect(await seconds(1)).toBe(1020);

    // What a restore through SQLite's backup does: the same file, with the pages of the copy.
    plain.exec(`ATTACH '${path}.copy' AS old`);
    plain.exec(
      "DELETE FROM springhouse_log WHERE seq > (SELECT max(seq) FROM old.springhouse_log)",
    );
    plain.exec("UPDATE tasks SET seconds = 10 WHERE id = 1");

    expect(await seconds(1)).toBe(30);
  });

  it("drops what it has when the log was trimmed past it", async () => {
    const { path, seconds } = await openSeconds();
    await seconds(1);

    openPlainly(path).exec(
      "UPDATE tasks SET seconds = 5; DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)",
    );

    expect(seconds.explain(1).lastDrop).toMatch(/does not reach back/);
    expect(await seconds(1)).toBe(10);
  });

  it("keeps nothing with cache: false, and says so", async () => {
    const { open } = await import("../../src/index.ts");
    await using db = await open({ url: "sqlite::memory:", entities: [Week], cache: false });

    expect(() => db.cached("a", async () => 1)).toThrow(/cache: false/);
    await db.repository(Week).create({ id: 1 });
    const { rows } = await db.execute(
      "SELECT name FROM sqlite_schema WHERE name LIKE 'springhouse_log%'",
    );
    expect(rows).toEqual([]);
  });
});
