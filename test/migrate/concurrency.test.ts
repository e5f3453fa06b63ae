import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { thisProcess } from "../../src/core/process-mark.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import { Scene } from "./support.ts";

const FILES = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => [
    `000${index + 1}_t${index}.sql`,
    `CREATE TABLE t${index} (id INTEGER PRIMARY KEY);\nINSERT INTO t${index} VALUES (1);`,
  ]),
);
const BACKFILL = `export const up = "ALTER TABLE t0 ADD COLUMN n INTEGER";
  export const data = (step) => step.backfill({ table: "t0", set: { n: "coalesce(n, 0) + 1" } });`;
const CHILD = fileURLToPath(new URL("./migrate-child.ts", import.meta.url));

interface Child {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

async function start(scene: Scene): Promise<Child> {
  const child = spawn(
    process.execPath,
    ["--conditions=springhouse-source", CHILD, scene.path, scene.migrations],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("ready");
  return { process: child, lines };
}

async function finish({ process: child, lines }: Child): Promise<string> {
  const exited = once(child, "exit");
  const { value } = await lines.next();
  const [code] = await exited;
  expect(code).toBe(0);
  return String(value);
}

test("of five processes that start at once, one applies everything and the others find it done", async () => {
  await using scene = await Scene.create({ ...FILES, "0007_fill.js": BACKFILL });
  const children = await Promise.all([1, 2, 3, 4, 5].map(() => start(scene)));

  for (const { process: child } of children) child.stdin?.write("go\n");
  const results = await Promise.all(children.map(finish));

  expect(results.sort()).toEqual([...Array(4).fill("applied 0"), "applied 7"]);
  expect(await scene.rows("SELECT count(*) FROM schema_migrations")).toEqual([[7]]);
  expect(await scene.rows("SELECT n FROM t0")).toEqual([[1]]);
});

test("of two stores that migrate at once, one does the work", async () => {
  await using scene = await Scene.create(FILES);
  const stores = [await scene.open(), await scene.open()];

  const runs = await Promise.all(
    stores.map((store) => createMigrator({ store, directory: scene.migrations }).up()),
  );

  expect(runs.map(({ migrations }) => migrations.length).sort()).toEqual([0, 6]);
  expect(runs.map(({ version }) => version)).toEqual([6, 6]);
});

test("two downs at once revert each migration once", async () => {
  const files = { "0001_a.sql": "CREATE TABLE a (b);\n-- down\nDROP TABLE a;" };
  await using scene = await Scene.create({
    ...files,
    "0002_b.sql": "CREATE TABLE b (b);\n-- down\nDROP TABLE b;",
  });
  const stores = [await scene.open(), await scene.open()];
  const migrators = stores.map((store) => createMigrator({ store, directory: scene.migrations }));
  await migrators[0]?.up();

  const runs = await Promise.all(migrators.map((migrator) => migrator.down()));

  expect(runs.flatMap(({ migrations }) => migrations)).toMatchObject([{ version: 2 }]);
  expect(await scene.objects()).toEqual(["a"]);
});

test("who waits too long for the write lock is told so, and nothing has changed", async () => {
  await using scene = await Scene.create(FILES);
  const store = await scene.open({ busyTimeoutMs: 10 });
  const database = holdLock(scene.path);

  const waiting = createMigrator({ store, directory: scene.migrations, timeoutMs: 60 }).up();

  await expect(waiting).rejects.toMatchObject({
    code: "MIGRATION_LOCKED",
    message: expect.stringContaining("Another process has kept the database locked for 60.0 ms"),
  });
  database.exec("ROLLBACK");
  expect(await createMigrator({ store, directory: scene.migrations }).up()).toMatchObject({
    version: 6,
  });
  database.close();
});

test("a store that waits by itself is not waited for any longer than the timeout", async () => {
  await using scene = await Scene.create(FILES);
  const store = await scene.open({ busyTimeoutMs: 400 });
  const database = holdLock(scene.path);

  const waiting = createMigrator({ store, directory: scene.migrations, timeoutMs: 50 }).up();

  await expect(waiting).rejects.toMatchObject({ code: "MIGRATION_LOCKED" });
  database.exec("ROLLBACK");
  database.close();
  expect(await scene.objects()).toEqual([]);
});

test("a wait for the write lock can be given up", async () => {
  await using scene = await Scene.create(FILES);
  const store = await scene.open({ busyTimeoutMs: 400 });
  const database = holdLock(scene.path);
  const controller = new AbortController();

  const waiting = createMigrator({ store, directory: scene.migrations }).up({
    signal: controller.signal,
  });
  setImmediate(() => controller.abort());

  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  database.exec("ROLLBACK");
  database.close();
  expect(await scene.objects()).toEqual([]);
});

function holdLock(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  return database;
}

interface Note {
  readonly pid: number;
  readonly host?: string;
  readonly started?: string;
  readonly untilMs?: number;
}

/** A database where somebody has taken the lease, and one migration is pending. */
async function leased(facts: Note): Promise<Scene> {
  const scene = await Scene.create(FILES);
  await (await scene.migrator()).up({ to: 5 });
  const rest = { token: "theirs", host: hostname(), untilMs: Date.now() + 60_000 };
  const note = JSON.stringify({ ...rest, ...facts });
  await scene.run(`INSERT INTO springhouse_meta VALUES ('migrator', '${note}')`);
  return scene;
}

test("a run of a living process is waited for, and named when it takes too long", async () => {
  await using scene = await leased({ pid: process.ppid });

  await expect((await scene.migrator({ timeoutMs: 50 })).up()).rejects.toMatchObject({
    code: "MIGRATION_LOCKED",
    message: expect.stringContaining(`Process ${process.ppid} on ${hostname()}`),
  });
});

test("a run that gives its lease back lets the next one in", async () => {
  await using scene = await leased({ pid: process.ppid });

  const waiting = (await scene.migrator()).up();
  await scene.run("DELETE FROM springhouse_meta WHERE key = 'migrator'");

  expect((await waiting).migrations).toHaveLength(1);
});

test("a wait for the lease can be given up", async () => {
  await using scene = await leased({ pid: process.ppid });
  const controller = new AbortController();

  const waiting = (await scene.migrator()).up({ signal: controller.signal });
  controller.abort();

  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
});

test.each<[string, () => Promise<Note>]>([
  ["whose process is gone", async () => ({ pid: await deadPid() })],
  ["of an earlier process with the pid of this one", earlierProcess],
  ["that has run out", async () => ({ pid: process.ppid, untilMs: Date.now() - 1 })],
])("a lease %s keeps nobody waiting", async (_, note) => {
  await using scene = await leased(await note());

  expect((await (await scene.migrator({ timeoutMs: 1_000 })).up()).migrations).toHaveLength(1);
});

test("a lease of another machine counts although its process cannot be seen", async () => {
  await using scene = await leased({ pid: await deadPid(), host: "elsewhere" });

  await expect((await scene.migrator({ timeoutMs: 50 })).up()).rejects.toMatchObject({
    code: "MIGRATION_LOCKED",
  });
});

async function earlierProcess(): Promise<Note> {
  return { ...thisProcess(), started: `${thisProcess().started ?? ""}0` };
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? 0;
}
