import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventTypes, type OpenOptions } from "../../src/open/options.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const Week = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text({ maxLength: 100 }).unique(),
});
const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
    score: t.int().default(0),
    isDone: t.boolean().default(false),
    createdAt: t.timestamp().defaultNow(),
  },
  { audit: true },
);
const entities = [Week, Task] as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "springhouse-open-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function file(): string {
  return `sqlite:${join(folder, "app.db")}`;
}

describe("open", () => {
  it("makes the tables of an empty file, and finds them in the next process", async () => {
    await using first = await open({ url: file(), entities });
    const week = await first.repository(Week).create({ label: "2025-W12" });
    await first.close();

    await using again = await open({ url: file(), entities, schema: "check" });

    expect(await again.repository(Week).get(week.id)).toEqual({ id: 1, label: "2025-W12" });
    expect((await stat(join(folder, "app.db"))).mode & 0o777).toBe(0o600);
  });

  it("refuses a file whose tables are not as declared, and names the difference", async () => {
    await using first = await open({ url: file(), entities: [Week] });
    await first.close();
    const Renamed = entity("weeks", { id: t.int().primaryKey(), title: t.text() });

    await expect(open({ url: file(), entities: [Renamed] })).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      message: expect.stringMatching(/title/),
    });
    await using asItWas = await open({ url: file(), entities: [Week] });
    expect(await asItWas.repository(Week).count()).toBe(0);
  });

  it("opens such a file all the same when told to ignore the schema", async () => {
    await using first = await open({ url: file(), entities: [Week] });
    await first.execute("INSERT INTO weeks (label) VALUES ('a')");
    await first.close();
    const Renamed = entity("weeks", { id: t.int().primaryKey(), title: t.text() });

    await using db = await open({ url: file(), entities: [Renamed], schema: "ignore" });

    expect((await db.execute("SELECT label FROM weeks")).rows).toEqual([{ label: "a" }]);
  });

  it.each<[Partial<OpenOptions> & Record<string, unknown>, RegExp]>([
    [{ colour: 1 }, /open: unknown option "colour"/],
    [{ pool: { maxSzie: 3 } as never }, /open: pool: unknown option "maxSzie".*"maxSize"/],
    [{ pageSize: 0 }, /open: pageSize cannot be 0/],
    [{ pageSizeMax: 1.5 }, /open: pageSizeMax cannot be 1.5/],
    [{ pageSize: 20, pageSizeMax: 10 }, /pageSize cannot be 20. It is at most pageSizeMax/],
    [{ pool: null as never }, /open: pool takes an object of options, not null/],
    [{ migrations: 1 as never }, /open: migrations must be a text, not number/],
    [{ permissions: true as never }, /open: permissions must be a function, not boolean/],
    [{ clock: 5 as never }, /open: clock must be an object with nowMs\(\).*, not number/],
    [{ clock: { nowMs: 5 } as never }, /open: clock must be an object with nowMs\(\)/],
    [{ events: 5 as never }, /open: events must be what eventTypes\(\) gives, not number/],
    [{ eventNames: 5 as never }, /open: eventNames must be an object by table, not number/],
    [{ eventNames: { weks: "x" }, entities }, /unknown option "weks". Did you mean "weeks"\?/],
    [{ eventNames: { weeks: 5 as never }, entities }, /eventNames.weeks cannot be 5/],
    [{ busyTimeout: "soon" }, /busyTimeout: "soon" is not a duration/],
    [{ pool: { idleTimeout: "x" } }, /pool.idleTimeout: "x" is not a duration/],
    [{ schema: "alter" as never }, /schema cannot be "alter". It is "create", "check" or "ignore"/],
    [{ url: "postgres://u:secret@h/db" }, /^(?!.*secret)"postgres:\/\/u:\*\*\*@h\/db" is not/],
    [{ url: "mysql://localhost/app" }, /mysql/],
  ])("refuses %j with a reason", async (options, reason) => {
    await expect(open({ url: "sqlite::memory:", ...options })).rejects.toThrow(reason);
  });

  it("reads a file that it must not write", async () => {
    await using first = await open({ url: file(), entities });
    await first.repository(Week).create({ label: "a" });
    await first.close();

    await using db = await open({ url: file(), entities, readOnly: true });

    expect(await db.repository(Week).count()).toBe(1);
    await expect(db.repository(Week).create({ label: "b" })).rejects.toMatchObject({
      code: "READ_ONLY",
    });
  });

  it("leaves no open file behind when it fails", async () => {
    await writeFile(
      join(folder, "app.db"),
      "this is no database, whatever its name says".repeat(99),
    );

    await expect(open({ url: file(), entities })).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
    await expect(open({ url: file(), entities })).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
  });
});

describe("a database", () => {
  it("decodes rows of plain SQL and of Kysely by where their columns come from", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });
    await db.repository(Week).create({ label: "a" });
    const task = await db.repository(Task).create({ weekId: 1, isDone: true });

    const plain = await db.execute("SELECT is_done AS done, created_at, 1 AS one FROM tasks t");
    const built = await db.query.selectFrom("tasks").select(["is_done", "created_at"]).execute();

    expect(plain.rows).toEqual([{ done: true, created_at: task.createdAt, one: 1 }]);
    expect(built).toEqual([{ is_done: true, created_at: task.createdAt }]);
  });

  it("runs many rows in one transaction and streams them back", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });
    const labels = Array.from({ length: 1_234 }, (_, index) => [`week ${index}`]);

    const written = await db.executeMany("INSERT INTO weeks (label) VALUES (?)", labels);

    expect(written).toBe(1_234);
    const seen: unknown[] = [];
    for await (const row of db.stream("SELECT label FROM weeks ORDER BY id"))
      seen.push(row["label"]);
    expect(seen).toEqual(labels.flat());
  });

  it("commits a transaction whole or not at all, and tells of it only then", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });
    const told: unknown[] = [];
    db.on("weekCreated", ({ new: week }) => void told.push(week.label));

    await db.transaction(async (tx) => {
      await tx.repository(Week).create({ label: "kept" });
      expect(told).toEqual([]);
    });
    await expect(
      db.transaction(async (tx) => {
        await tx.repository(Week).create({ label: "lost" });
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");

    expect(told).toEqual(["kept"]);
    expect(await db.repository(Week).count()).toBe(1);
  });

  it("names events as told, and raises those of the program after the commit", async () => {
    await using db = await open({
      url: "sqlite::memory:",
      entities,
      eventNames: { weeks: "period" },
      events: eventTypes<{ statisticsUpdated: { weekId: number } }>(),
    });
    const told: unknown[] = [];
    db.on("periodCreated", ({ key }) => void told.push(key));
    db.on("statisticsUpdated", ({ weekId }) => void told.push({ weekId }));

    await db.transaction(async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      tx.emit("statisticsUpdated", { weekId: 1 });
      expect(told).toEqual([]);
    });

    expect(told).toEqual([1, { weekId: 1 }]);
  });

  it("refuses names of events that nothing raises, unless the program has its own", async () => {
    const options = { url: "sqlite::memory:", entities, eventNames: { weeks: "period" } };
    await using db = await open({ ...options });
    await using own = await open({ ...options, events: eventTypes() });
    const listener = (): void => undefined;
    const unknown = expect.objectContaining({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(
        /^No entity raises the event "tasksCreated"\. Did you mean "taskCreated"\? Known: peri/,
      ),
    });
    const name = "tasksCreated" as never;

    expect(() => db.on(name, listener)).toThrow(unknown);
    expect(() => db.off(name, listener)).toThrow(unknown);
    expect(() => db.events(name)).toThrow(unknown);
    expect(() => db.as("ann").on(name, listener)).toThrow(unknown);
    expect(() => db.emit(name, 1 as never)).toThrow(unknown);
    await expect(db.transaction(async (tx) => tx.emit(name, 1 as never))).rejects.toThrow(unknown);
    expect(() => db.on("weekCreated" as never, listener)).toThrow(
      'No entity raises the event "week',
    );
    expect(() => db.on(5 as never, listener)).toThrow("the name of an event must be a text");
    expect(() => own.on(name, listener)).not.toThrow();
    expect(() => own.emit(name, 1 as never)).not.toThrow();
  });

  it("refuses a write through itself inside its own transaction instead of waiting for ever", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });

    await expect(
      db.transaction(() => db.repository(Week).create({ label: "outside" })),
    ).rejects.toMatchObject({ code: "TRANSACTION_REENTRY" });

    expect(await db.repository(Week).count()).toBe(0);
  });

  it("rolls a transaction back at its deadline", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });

    const late = db.transaction(
      async (tx) => {
        await tx.repository(Week).create({ label: "late" });
        await new Promise((resolve) => setTimeout(resolve, 200));
        await tx.repository(Week).count();
      },
      { deadline: "50ms" },
    );

    await expect(late).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    expect(await db.repository(Week).count()).toBe(0);
  });

  it("gathers changes in a unit of work and writes them by one commit", async () => {
    await using db = await open({ url: "sqlite::memory:", entities });
    await db.repository(Week).create({ label: "before" });

    await using unit = db.unitOfWork();
    const week = await unit.repository(Week).get(1);
    if (week !== undefined) week.label = "after";
    expect(await db.repository(Week).get(1)).toMatchObject({ label: "before" });
    await unit.commit();

    expect(await db.repository(Week).get(1)).toMatchObject({ label: "after" });
  });

  it("acts in the name of a user: asks permission and logs the change", async () => {
    const asked: unknown[] = [];
    await using db = await open({
      url: "sqlite::memory:",
      entities,
      permissions: ({ actor, action, entity: name }) => {
        asked.push([actor, action, name]);
        return actor !== "guest";
      },
    });
    const ann = db.as("ann");
    await ann.repository(Week).create({ label: "a" });
    await ann.execute("INSERT INTO tasks (week_id, score) VALUES (1, 5)");

    await expect(db.as("guest").repository(Week).count()).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });

    expect(asked).toContainEqual(["ann", "create", "weeks"]);
    expect(asked).toContainEqual(["guest", "read", "weeks"]);
    const { rows } = await ann.audit.list({ entity: Task });
    expect(rows).toMatchObject([{ action: "create", userId: "ann", entityId: "1" }]);
  });

  it("migrates itself by reviewed files", async () => {
    const migrations = join(folder, "migrations");
    await mkdir(migrations);
    await writeFile(
      join(migrations, "0001_weeks.sql"),
      "-- up\nCREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;\n" +
        "-- down\nDROP TABLE weeks;\n",
    );
    const Plain = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
    await using db = await open({ url: file(), entities: [Plain], schema: "ignore" });

    const migrator = await db.migrator({ directory: migrations });
    const { version } = await migrator.up();
    const wrong = { dir: migrations } as object;

    await expect(db.migrator(wrong)).rejects.toThrow(
      /^migrator: unknown option "dir"\. Did you mean "directory"\? Known options: directory, mig/,
    );
    expect(version).toBe(1);
    expect((await migrator.verify()).problems).toEqual([]);
    expect(await db.repository(Plain).create({ label: "a" })).toEqual({ id: 1, label: "a" });
    await db.close();
    await using again = await open({ url: file(), entities: [Plain], migrations, schema: "check" });
    expect(await again.repository(Plain).count()).toBe(1);
  });

  it("takes the present moment from the clock it was given", async () => {
    const clock = {
      nowMs: () => Date.UTC(2001, 1, 3),
      monotonicMs: () => 0,
      schedule: () => ({ [Symbol.dispose]: () => undefined }),
    };
    await using db = await open({ url: "sqlite::memory:", entities, clock });
    await db.repository(Week).create({ label: "a" });

    const task = await db.repository(Task).create({ weekId: 1 });

    expect(task.createdAt).toEqual(new Date("2001-02-03T00:00:00Z"));
  });

  it("counts what it ran, and refuses politely when it is closed", async () => {
    const db = await open({ url: "sqlite::memory:", entities, slowQueryThreshold: "1h" });
    await db.execute("SELECT count(*) FROM weeks");

    const { queries } = db.queryStatistics();
    const { settings } = await db.describe();
    await db.close();
    await db.close();

    expect(queries.map(({ sql }) => sql)).toContain("SELECT count(*) FROM weeks");
    expect(settings).toMatchObject({ foreign_keys: 1, synchronous: 2 });
    await expect(db.repository(Week).count()).rejects.toMatchObject({ code: "CLOSED" });
  });
});
