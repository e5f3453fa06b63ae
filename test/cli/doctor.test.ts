import { chmod, mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { checkKeeping, checkNode } from "../../src/cli/doctor-checks.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { Project } from "./support.ts";

const SCHEMA = join(import.meta.dirname, "../../src/schema");

interface Check {
  readonly name: string;
  readonly status: string;
  readonly found: string;
  readonly advice?: string;
}

async function examine(project: Project, line = "doctor"): Promise<Record<string, Check>> {
  const { out } = await project.run(`${line} --json`);
  const { checks } = JSON.parse(out) as { readonly checks: readonly Check[] };
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

/** A database as Springhouse keeps it. */
async function sound(): Promise<Project> {
  const project = await Project.make();
  project.sql("app.db", "PRAGMA journal_mode = WAL", "CREATE TABLE a (b)");
  await chmod(project.path("app.db"), 0o600);
  await mkdir(project.path("migrations"));
  return project;
}

describe("springhouse doctor", () => {
  it("finds nothing wrong with a sound database, and says what it looked at", async () => {
    await using project = await sound();

    const { code, out } = await project.run("doctor");

    expect(code).toBe(0);
    expect(out).toMatch(/^check +found\n─+/);
    for (const name of ["Node.js", "SQLite", "file", "journal", "integrity", "migrations"]) {
      expect(out).toMatch(new RegExp(`^${name} +ok `, "m"));
    }
    expect(out).not.toContain("fail");
  });

  it("colours the answers when asked to, and not with --no-color", async () => {
    await using project = await sound();

    const colored = await project.run("doctor", { color: true });
    const plain = await project.run("doctor --no-color", { color: true });

    expect(colored.out).toContain("\u001b[32mok\u001b[39m");
    expect(plain.out).not.toContain("\u001b[");
  });

  it("warns when there is no database yet, and does not make one", async () => {
    await using project = await Project.make();

    const { file, integrity } = await examine(project);
    const { code } = await project.run("doctor");

    expect(file).toMatchObject({ status: "warn", advice: expect.stringContaining("migrate up") });
    expect(integrity).toBeUndefined();
    expect(code).toBe(0);
    expect((await examine(project))["file"]?.status).toBe("warn");
  });

  it("says which folder is missing, since nothing makes it", async () => {
    await using project = await Project.make();

    const { file } = await examine(project, "doctor --url sqlite:data/app.db");

    expect(file).toMatchObject({
      status: "fail",
      advice: `Run: mkdir -p ${project.path("data")}`,
    });
  });

  it("compares the file with the entities, as opening it does", async () => {
    await using project = await Project.make({
      "springhouse.config.json": '{ "entities": "./schema.ts" }',
      "schema.ts": `
        import { entity } from ${JSON.stringify(join(SCHEMA, "entity.ts"))};
        import { t } from ${JSON.stringify(join(SCHEMA, "column.ts"))};
        export const Note = entity("notes", { id: t.int().primaryKey() });
      `,
    });
    project.sql("app.db", "CREATE TABLE a (b)");

    const before = await examine(project);
    await project.run("migrate new first");
    await project.run("migrate up --yes");
    const after = await examine(project);

    expect(before["entities"]).toMatchObject({
      status: "fail",
      found: "table notes is missing",
      advice: expect.stringContaining("SCHEMA_MISMATCH"),
    });
    expect(after["entities"]).toMatchObject({ status: "ok" });
    await rename(project.path("migrations/0002_first.sql"), project.path("0002_first.sql"));
    expect((await examine(project))["entities"]).toMatchObject({
      status: "fail",
      advice: expect.stringMatching(/SCHEMA_NEWER.*0002_first.*Run the newer version/),
    });
  });

  it("has little to say about a temporary database", async () => {
    await using project = await Project.make();

    const { database } = await examine(project, "doctor --url sqlite::memory:");

    expect(database).toMatchObject({ status: "ok", found: expect.stringContaining("private") });
  });

  it("fails on a configuration that cannot be used, and on a URL of another database", async () => {
    await using broken = await Project.make({ "springhouse.config.json": "{ oops" });
    await using other = await Project.make();

    const { configuration } = await examine(broken);
    const { database } = await examine(other, "doctor --url postgres://db/main");

    expect(configuration).toMatchObject({ status: "fail", found: "CONFIG" });
    expect((await broken.run("doctor")).code).toBe(1);
    expect(database).toMatchObject({ status: "fail", found: "INVALID_URL" });
  });

  it("fails on a file that is something else, and on a folder", async () => {
    await using project = await Project.make({
      "app.db": "This is a letter, not a database.".repeat(99),
    });
    await mkdir(project.path("folder.db"));
    await chmod(project.path("app.db"), 0o644);

    const { database, permissions } = await examine(project);
    const { file } = await examine(project, "doctor --url sqlite:folder.db");

    expect(database).toMatchObject({ status: "fail", found: "NOT_A_DATABASE" });
    expect(file).toMatchObject({ status: "fail", found: expect.stringContaining("is not a file") });
    expect(permissions?.advice).toBeUndefined();
  });

  it("warns when others may read the file", async () => {
    await using project = await sound();
    await chmod(project.path("app.db"), 0o644);

    const { permissions } = await examine(project);

    expect(permissions).toMatchObject({
      status: "warn",
      advice: `chmod 600 ${project.path("app.db")}`,
    });
  });

  it.skipIf(process.getuid?.() === 0)("fails on a log that this user may not write", async () => {
    await using project = await sound();
    const log = project.path("app.db-wal");
    await writeFile(log, "");
    await chmod(log, 0o400);

    const { permissions } = await examine(project);

    expect(permissions).toMatchObject({ status: "fail", found: `${log} cannot be written` });
  });

  it("warns about a journal that blocks readers, and about wasted pages", async () => {
    await using project = await Project.make();
    project.sql(
      "app.db",
      "CREATE TABLE a (b)",
      "INSERT INTO a SELECT randomblob(4000) FROM json_each('[1,2,3,4,5,6,7,8,9,10]')",
      "DELETE FROM a",
    );

    const { journal, pages } = await examine(project);

    expect(journal).toMatchObject({ status: "warn", found: "delete" });
    expect(pages).toMatchObject({ status: "warn", advice: expect.stringMatching(/VACUUM.*KB/) });
  });

  it("fails on damaged pages, and says how to save what is left", async () => {
    await using project = await sound();
    project.sql("app.db", "INSERT INTO a SELECT value FROM json_each('[1,2,3]')");
    const bytes = await readFile(project.path("app.db"));
    // The pointers to the first two rows on the second page change places.
    bytes
      .subarray(4_096 + 8, 4_096 + 12)
      .swap16()
      .reverse();
    await writeFile(project.path("app.db"), bytes);

    const { integrity } = await examine(project);

    expect(integrity).toMatchObject({
      status: "fail",
      found: expect.stringContaining("out of order"),
      advice: expect.stringContaining("Restore a backup"),
    });
  });

  it("fails on a file that was cut short", async () => {
    await using project = await sound();
    project.sql("app.db", "INSERT INTO a SELECT randomblob(4000) FROM json_each('[1,2,3,4,5]')");
    await truncate(project.path("app.db"), 4_096 * 3);

    const checks = Object.values(await examine(project));

    expect(checks.some(({ status }) => status === "fail")).toBe(true);
  });

  it("fails on rows that refer to nothing, and names them", async () => {
    await using project = await sound();
    project.sql(
      "app.db",
      "PRAGMA foreign_keys = OFF",
      "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
      "CREATE TABLE child (parent_id INTEGER REFERENCES parent)",
      ...Array.from({ length: 7 }, () => "INSERT INTO child VALUES (5)"),
    );

    const { references } = await examine(project);

    expect(references).toMatchObject({
      status: "fail",
      found: expect.stringMatching(/^child row 1 → parent; .*; 2 more$/),
    });
  });

  it("tells how the migrations stand", async () => {
    await using project = await sound();
    await writeFile(project.path("migrations/0001_first.sql"), "-- up\nCREATE TABLE c (d);\n");

    const before = await examine(project);
    await project.run("migrate up");
    const after = await examine(project);
    await writeFile(project.path("migrations/0001_first.sql"), "-- up\nCREATE TABLE e (f);\n");
    const edited = await examine(project);

    expect(before["migrations"]).toMatchObject({ status: "warn", found: "version 0, 1 pending" });
    expect(after["migrations"]).toMatchObject({ status: "ok", found: "version 1, none pending" });
    expect(edited["migrations"]).toMatchObject({ status: "fail", found: "1 first is changed" });
  });

  it("misses the folder of migrations, and all the more when some have been applied", async () => {
    await using project = await sound();
    await writeFile(project.path("migrations/0001_first.sql"), "-- up\nCREATE TABLE c (d);\n");
    await rename(project.path("migrations"), project.path("away"));
    const before = await examine(project);
    await rename(project.path("away"), project.path("migrations"));
    await project.run("migrate up");
    await rename(project.path("migrations"), project.path("away"));

    const after = await examine(project);

    const found = `the folder ${project.path("migrations")} does not exist`;
    expect(before["migrations"]).toMatchObject({ status: "warn", found });
    expect(after["migrations"]).toMatchObject({ status: "fail", found });
  });

  it("compares the triggers with those that the entities declare", async () => {
    const entity = join(SCHEMA, "entity.ts");
    await using project = await Project.make({
      "springhouse.config.json": '{ "entities": "./schema.ts" }',
      "schema.ts": `
        import { entity } from ${JSON.stringify(entity)};
        import { t } from ${JSON.stringify(join(SCHEMA, "column.ts"))};
        export default [entity("notes", { id: t.int().primaryKey(), title: t.text() }, {
          search: ["title"],
        })];
      `,
    });
    await project.run("migrate new first");
    await project.run("migrate up");

    const before = await examine(project);
    const database = new DatabaseSync(project.path("app.db"));
    const [trigger] = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
      .all() as { name: string }[];
    database.exec(`DROP TRIGGER "${trigger?.name}"`);
    database.close();
    const after = await examine(project);

    expect(before["triggers"]).toMatchObject({ status: "ok" });
    expect(after["triggers"]).toMatchObject({
      status: "fail",
      found: `${trigger?.name} is missing`,
    });
  });
});

describe("the checks", () => {
  it("want Node.js 24.15", () => {
    expect(checkNode("24.15.0").status).toBe("ok");
    expect(checkNode("25.0.0").status).toBe("ok");
    expect(checkNode("24.14.1")).toMatchObject({ status: "fail" });
    expect(checkNode("22.22.3")).toMatchObject({ status: "fail" });
  });

  it("take the journal from the file, where SQLite cannot make a log", async () => {
    await using project = await sound();
    await using store = await openSqliteStore({ url: `sqlite:${project.path("app.db")}` });
    const facts = await store.describe();

    const [journal] = checkKeeping({ ...facts, settings: { journal_mode: "delete" } });

    expect(journal).toMatchObject({ name: "journal", status: "ok", found: "wal" });
  });

  it("warn about a log that nothing cuts", async () => {
    await using project = await sound();
    await using store = await openSqliteStore({ url: `sqlite:${project.path("app.db")}` });
    const facts = await store.describe();
    const log = (walBytes: number) => checkKeeping({ ...facts, walBytes }).at(-1);

    expect(log(65 * 1_024 * 1_024)).toMatchObject({ name: "write-ahead log", status: "warn" });
    expect(log(4_096)).toMatchObject({ status: "ok" });
  });
});
