import { copyFileSync, rmSync } from "node:fs";
import { backup, type DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { sqliteTier } from "../../src/cache/index.ts";
import { type Entity, entity, open, t } from "../../src/index.ts";
import { warningsOf } from "../support/warnings.ts";
import { openStored, weeksFile } from "./persistence-support.ts";
import { openPlainly, Task, Week } from "./support.ts";

/** A file whose tier has the seconds of week 1. */
async function stored() {
  const file = await weeksFile();
  const { db, seconds } = await openStored(file);
  expect(await seconds(1)).toBe(30);
  await db.close();
  return file;
}

/** Puts the copy of a file in its place. */
function restore(path: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  copyFileSync(`${path}.copy`, path);
}

describe("the result of a function with a version", () => {
  it("is served after a restart without running the function", async () => {
    const file = await stored();

    const { db, seconds, counted } = await openStored(file);

    expect(await seconds(1)).toBe(30);
    expect(await seconds(1)).toBe(30);
    expect(counted.runs).toBe(0);
    expect(seconds.explain(1)).toMatchObject({
      tier: "sqlite",
      places: ["memory", "sqlite"],
      reads: ["tasks(seconds, week_id) where week_id = 1"],
      notStored: undefined,
    });
    expect(db.cacheStatistics().functions["seconds"]).toMatchObject({
      found: 1,
      hits: 1,
      misses: 1,
    });
  });

  it("is served after foreign writes that miss what it read, and not after others", async () => {
    const file = await stored();
    openPlainly(file.path).exec("UPDATE tasks SET seconds = 99 WHERE week_id = 2");
    openPlainly(file.path).exec("UPDATE tasks SET project = 'x'; DELETE FROM weeks WHERE id = 2");
    const first = await openStored(file);
    expect(await first.seconds(1)).toBe(30);
    expect(first.counted.runs).toBe(0);
    await first.db.close();

    openPlainly(file.path).exec("UPDATE tasks SET seconds = 99 WHERE id = 1");

    const second = await openStored(file);
    expect(await second.seconds(1)).toBe(119);
    expect(second.counted.runs).toBe(1);
    expect(second.seconds.explain(1).tier).toBe("memory");
  });

  it("is dropped by writes after it was found, as any other", async () => {
    const { path, ...rest } = await stored();
    const { db, seconds } = await openStored({ path, ...rest });
    await seconds(1);

    openPlainly(path).exec("UPDATE tasks SET seconds = 0 WHERE id = 1");
    expect(await seconds(1)).toBe(20);
    await db.repository(Task).patch(2, { seconds: 1 });
    expect(await seconds(1)).toBe(1);
  });

  it("is not served after a change of the schema", async () => {
    const file = await stored();
    openPlainly(file.path).exec("CREATE INDEX more ON tasks (project)");

    const { seconds, counted } = await openStored(file);

    expect(await seconds(1)).toBe(30);
    expect(counted.runs).toBe(1);
  });

  it("is not served to a backup whose other schema has come to the same version", async () => {
    const file = await weeksFile();
    const view = (week: number) =>
      `CREATE VIEW total AS SELECT sum(seconds) AS s FROM tasks WHERE week_id = ${week}`;
    const total = async (path: string) => {
      const { db } = await openStored({ ...file, path });
      const read = async () => (await db.execute("SELECT s FROM total")).rows[0]?.["s"];
      const cached = db.cached("total", read, { version: 1 });
      const result = await cached();
      const { tier } = cached.explain();
      await db.close();
      return [result, tier];
    };
    const plain = openPlainly(file.path);
    plain.exec(view(1));
    expect(await total(file.path)).toEqual([30, "memory"]);
    expect(await total(file.path)).toEqual([30, "sqlite"]);

    // SQLite's backup counts the versions of the schema anew.
    await backup(plain, `${file.path}.copy`);
    const copy = openPlainly(`${file.path}.copy`);
    copy.exec(`DROP VIEW total; ${view(2)}`);
    const version = (of: DatabaseSync) => of.prepare("PRAGMA schema_version").get();
    for (let at = 0; JSON.stringify(version(copy)) !== JSON.stringify(version(plain)); at++) {
      copy.exec(at % 2 === 0 ? "CREATE VIEW other AS SELECT 1" : "DROP VIEW other");
      expect(at).toBeLessThan(100);
    }

    expect(await total(`${file.path}.copy`)).toEqual([70, "memory"]);
  });

  it("is not served to a copy without what was written while our triggers were gone", async () => {
    const file = await stored();
    const withoutTriggers = (write: string): void => {
      const plain = openPlainly(file.path);
      const triggers = plain
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
        .all();
      for (const { name } of triggers) plain.exec(`DROP TRIGGER ${name}`);
      plain.exec(write);
      for (const { sql } of triggers) plain.exec(String(sql));
      plain.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      plain.close();
    };
    withoutTriggers("");
    copyFileSync(file.path, `${file.path}.copy`);
    withoutTriggers("UPDATE tasks SET seconds = 1000 WHERE id = 1");
    const first = await openStored(file);
    expect(await first.seconds(1)).toBe(1020);
    await first.db.close();

    restore(file.path);
    withoutTriggers("");
    const second = await openStored(file);
    expect(await second.seconds(1)).toBe(30);
  });

  it("is not served when the log was trimmed past it", async () => {
    const file = await stored();
    openPlainly(file.path).exec(
      "UPDATE weeks SET label = 'x'; DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)",
    );

    const { seconds, counted } = await openStored(file);

    expect(await seconds(1)).toBe(30);
    expect(counted.runs).toBe(1);
  });

  it("is not served to a restored copy in which it never was right", async () => {
    const file = await stored();
    openPlainly(file.path).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(file.path, `${file.path}.copy`);
    const later = await openStored(file);
    await later.db.repository(Task).patch(1, { seconds: 1000 });
    expect(await later.seconds(1)).toBe(1020);
    await later.db.close();

    restore(file.path);
    const restored = await openStored(file);
    // As many rows of the log as the lost ones.
    await restored.db.repository(Task).patch(3, { seconds: 31 });

    expect(await restored.seconds(1)).toBe(30);
    expect(restored.counted.runs).toBe(1);
  });

  it("is not served to a copy that was made before a foreign write that it has seen", async () => {
    const file = await weeksFile();
    const plain = openPlainly(file.path);
    const first = await openStored(file);
    await first.seconds(2);
    await first.db.repository(Task).patch(4, { project: "x" });
    plain.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(file.path, `${file.path}.copy`);
    plain.exec("UPDATE tasks SET seconds = 1000 WHERE id = 1");
    expect(await first.seconds(1)).toBe(1020);
    await first.db.close();
    plain.close();

    restore(file.path);
    const { seconds, counted } = await openStored(file);
    expect([await seconds(1), await seconds(2)]).toEqual([30, 70]);
    expect(counted.runs).toBeGreaterThan(0);
  });

  it("is not served to another version, nor through a function that calls it", async () => {
    const file = await weeksFile();
    const open = async (version: number) => {
      const opened = await openStored({ ...file, cached: { version } });
      const doubled = opened.db.cached(
        "doubled",
        async () => 2 * ((await opened.seconds(1)) ?? 0),
        {
          version: 1,
        },
      );
      return { ...opened, doubled };
    };
    const first = await open(1);
    expect(await first.doubled()).toBe(60);
    await first.db.close();

    const same = await open(1);
    expect(await same.doubled()).toBe(60);
    expect([same.counted.runs, same.doubled.explain().tier]).toEqual([0, "sqlite"]);
    await same.db.close();

    const second = await open(2);
    expect(await second.doubled()).toBe(60);
    expect([second.counted.runs, second.doubled.explain().tier]).toEqual([1, "memory"]);
  });

  it("is not served when a column is declared in another way", async () => {
    const { path, tierPath } = await weeksFile();
    const rowOf = async (entities: readonly Entity[]) => {
      const tiers = [sqliteTier({ path: tierPath })];
      await using db = await open({
        url: `sqlite:///${path}`,
        entities,
        schema: "ignore",
        cache: { tiers },
      });
      const read = async () => (await db.execute("SELECT seconds FROM tasks WHERE id = 1")).rows[0];
      return await db.cached("row", read, { version: 1 })();
    };
    const Timed = entity("tasks", { id: t.int().primaryKey(), seconds: t.timestamp() });

    expect(await rowOf([Week, Task])).toEqual({ seconds: 10 });
    expect(await rowOf([Week, Timed])).toEqual({ seconds: new Date(10) });
  });

  it("is found inside of another function, at its snapshot", async () => {
    const file = await stored();
    const { db, seconds, counted } = await openStored(file);
    const outer = db.cached("outer", async () => [await seconds(1), await seconds(2)], {
      version: "a",
    });

    expect(await outer()).toEqual([30, 70]);
    expect(counted.runs).toBe(1);
    expect(outer.explain().reads).toHaveLength(2);
  });

  it("is stored under a commit of its own when only others write", async () => {
    const file = await weeksFile();
    const plain = openPlainly(file.path);
    const first = await openStored(file);
    await first.seconds(2);
    plain.exec("UPDATE tasks SET seconds = 1 WHERE id = 1");
    expect(await first.seconds(1)).toBe(21);
    await first.db.close();

    const { seconds, counted } = await openStored(file);
    expect([await seconds(1), await seconds(2)]).toEqual([21, 70]);
    expect(counted.runs).toBe(0);
  });

  it("is served from a file that is open for reading only", async () => {
    const file = await stored();

    const { db, seconds, counted } = await openStored({ ...file, readOnly: true });
    expect([await seconds(1), await seconds(2)]).toEqual([30, 70]);
    await db.close();

    expect(counted.runs).toBe(1);
  });

  it("is not served when something was written that the log does not have", async () => {
    const { path, ...rest } = await stored();
    const warnings = warningsOf();
    const first = await openStored({ path, ...rest });
    await first.seconds(1);
    const plain = openPlainly(path);
    const hidden = "INSERT INTO springhouse_log_shapes VALUES (999, 'other', '[]', NULL)";
    plain.exec(hidden);
    expect(first.seconds.peek(1)).toBe(undefined);
    await first.db.close();
    expect(warnings.map(({ code }) => code)).toEqual(["UNLOGGED_WRITE"]);

    const second = await openStored({ path, ...rest });
    expect(await second.seconds(1)).toBe(30);
    expect([first.counted.runs, second.counted.runs]).toEqual([0, 1]);
  });

  it("does not meet that of another database in one tier", async () => {
    const [one, two] = [await stored(), await weeksFile()];
    const tierPath = one.tierPath;
    openPlainly(two.path).exec("UPDATE tasks SET seconds = 1");
    const other = await openStored({ path: two.path, tierPath });
    expect(await other.seconds(1)).toBe(2);
    await other.db.close();

    const first = await openStored(one);
    const second = await openStored({ path: two.path, tierPath });

    expect([await first.seconds(1), await second.seconds(1)]).toEqual([30, 2]);
    expect([first.counted.runs, second.counted.runs]).toEqual([0, 0]);
  });
});

describe("a function without a version", () => {
  it("stays in memory, as does what calls it, and both say so", async () => {
    const file = await weeksFile();
    const { db, seconds } = await openStored(file);
    const plain = db.cached("plain", async () => (await seconds(1)) ?? 0);
    const outer = db.cached("outer", () => plain(), { version: 1 });
    await outer();
    await outer();

    expect(plain.explain()).toMatchObject({ notStored: "the function has no version" });
    expect(outer.explain()).toMatchObject({
      places: ["memory"],
      notStored: 'it calls "plain", which has no version',
    });
  });
});
