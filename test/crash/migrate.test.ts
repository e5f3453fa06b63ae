import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { diff } from "../../src/migrate/diff.ts";
import { foreignKeyViolations, integrityProblems } from "../../src/migrate/integrity.ts";
import { type FileSchema, introspect } from "../../src/migrate/introspect.ts";
import { describeOperation } from "../../src/migrate/operation.ts";
import { Scene } from "../migrate/support.ts";
import { openDirectStore } from "../support/direct-store.ts";

const KILLS = 60;
/** A child lives for up to this many times as long as one `up` takes, so that all places are hit. */
const LIFE_UPS_MAX = 2;

const rebuilt = (rule: string): string => `
CREATE TABLE new_weeks (id INTEGER PRIMARY KEY, label TEXT ${rule}) STRICT;
INSERT INTO new_weeks SELECT id, label FROM weeks;
DROP TABLE weeks;
ALTER TABLE new_weeks RENAME TO weeks;`;
const FILES = {
  "0001_tables.sql": `
    CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT) STRICT;
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, n INTEGER,
      week_id INTEGER NOT NULL REFERENCES weeks ON DELETE CASCADE) STRICT;
    WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 50)
      INSERT INTO weeks SELECT i, 'week ' || i FROM c;
    WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 3000)
      INSERT INTO tasks SELECT i, i, 1 + i % 50 FROM c;
    -- down
    DROP TABLE tasks; DROP TABLE weeks;`,
  "0002_rebuild.sql": `-- springhouse: foreign-keys off
    ${rebuilt("NOT NULL CHECK (length(label) < 10)")}
    -- down
    ${rebuilt("")}`,
  "0003_done.js": `
    export const up = "ALTER TABLE tasks ADD COLUMN done INTEGER";
    export const down = "ALTER TABLE tasks DROP COLUMN done";
    export const data = (step) =>
      step.backfill({ table: "tasks", set: { done: "coalesce(done, 0) + 1" } });`,
  "0004_objects.sql": `
    CREATE INDEX by_week ON tasks (week_id, n DESC);
    CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT) STRICT;
    CREATE TRIGGER tasks_log AFTER DELETE ON tasks BEGIN
      INSERT INTO log (text) VALUES ('gone; ' || OLD.id);
    END;
    CREATE VIEW busy AS SELECT week_id, count(*) AS tasks FROM tasks GROUP BY week_id;
    -- down
    DROP VIEW busy; DROP TRIGGER tasks_log; DROP TABLE log; DROP INDEX by_week;`,
};
const CHILD = fileURLToPath(new URL("../migrate/crash-child.ts", import.meta.url));

test(`killed ${KILLS} times while migrating, the database stands before or after each migration`, async () => {
  await using scene = await Scene.create(FILES);
  const schemas = await referenceSchemas();
  const upMs = await measureUp();
  let complete = 0;
  const seen = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    complete += await migrateAndKill(scene, Math.random() * LIFE_UPS_MAX * upMs);
    const state = await inspect(scene.path, schemas);
    seen.set(state, (seen.get(state) ?? 0) + 1);
  }

  console.log(`runs completed: ${complete}; killed at`, Object.fromEntries(seen));
  await using store = openDirectStore(scene.path);
  await (await scene.migrator({ store })).up();
  expect(await inspect(scene.path, schemas)).toBe("version 4");
  expect(seen.size).toBeGreaterThanOrEqual(3);
});

/** What the schema is at each version, in a database that nobody kills. */
async function referenceSchemas(): Promise<readonly FileSchema[]> {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();
  const schemas = [await introspect(await scene.store())];
  for (const version of [1, 2, 3, 4]) {
    await migrator.up({ to: version });
    schemas.push(await introspect(await scene.store()));
  }
  return schemas;
}

/** How long one `up` of a child takes on this machine, as busy as it is. */
async function measureUp(): Promise<number> {
  await using scene = await Scene.create(FILES);
  const child = await Child.start(scene);
  const startMs = performance.now();
  await Promise.race([once(child.lines, "line"), child.exited]);
  const upMs = performance.now() - startMs;
  await child.kill();
  return upMs;
}

/** Lets a child migrate for a while; the number of complete ups it has reported. */
async function migrateAndKill(scene: Scene, lifeMs: number): Promise<number> {
  const child = await Child.start(scene);
  let complete = 0;
  child.lines.on("line", () => {
    complete++;
  });
  await Promise.race([sleep(lifeMs), child.exited]);
  await child.kill();
  return complete;
}

/** A process that migrates up and down until it is killed; it prints a line after each `up`. */
class Child {
  readonly exited: Promise<unknown[]>;
  readonly lines: Interface;
  readonly #process: ChildProcess;
  #errors = "";

  private constructor(path: string, directory: string) {
    const args = ["--conditions=springhouse-source", CHILD, path, directory];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.on("data", (chunk) => {
      this.#errors += chunk;
    });
    this.#process = child;
    this.exited = once(child, "exit");
    this.lines = createInterface({ input: child.stdout });
  }

  /** Starts one; it has opened the database when this resolves. */
  static async start(scene: Scene): Promise<Child> {
    const child = new Child(scene.path, scene.migrations);
    await Promise.race([once(child.lines, "line"), child.exited]);
    return child;
  }

  /** Kills it, unless it has ended by itself with an error, which fails the test. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    const [code, signal] = await this.exited;
    const ended = { code, signal, errors: this.#errors };
    expect(ended).toEqual({ code: null, signal: "SIGKILL", errors: "" });
  }
}

/** Checks everything about the file; says where the run was stopped. */
async function inspect(path: string, schemas: readonly FileSchema[]): Promise<string> {
  await using store = openDirectStore(path);
  const all = async (sql: string): Promise<unknown> =>
    (await store.read({ sql, parameters: [] })).rows;
  const ledger = await all("SELECT version FROM schema_migrations ORDER BY version").catch(
    () => [],
  );
  const version = (ledger as readonly unknown[]).length;
  const reference = schemas[version];

  expect(await integrityProblems(store)).toEqual([]);
  expect(await foreignKeyViolations(store)).toEqual(new Map());
  expect(ledger).toEqual(Array.from({ length: version }, (_, index) => [index + 1]));
  if (reference === undefined) throw new Error(`no version ${version}`);
  const operations = diff(await introspect(store), reference, { undeclared: "drop" });
  expect(operations.map(describeOperation)).toEqual([]);
  if (version >= 1) {
    expect(await all("SELECT count(*) FROM weeks")).toEqual([[50]]);
    expect(await all("SELECT count(*), sum(n) FROM tasks")).toEqual([[3_000, 4_501_500]]);
  }
  if (version < 3) return `version ${version}`;
  const isUnfinished = "SELECT count(*) FROM schema_migrations WHERE state = 'data'";
  if (String(await all(isUnfinished)) === "0") {
    expect(await all("SELECT DISTINCT done FROM tasks")).toEqual([[1]]);
    return `version ${version}`;
  }
  const [[changed] = [0]] = (await all(
    "SELECT coalesce(sum(changed), 0) FROM springhouse_migration_steps",
  )) as readonly (readonly unknown[])[];
  expect(await all("SELECT count(done), coalesce(max(done), 1) FROM tasks")).toEqual([
    [changed, 1],
  ]);
  return "inside the data step";
}
