/** The section `migrations` of the configuration, seen in what the commands do. */

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Project } from "./support.ts";

/** The store itself must not wait longer than the migrator. */
const BUSY_AT_ONCE = { SPRINGHOUSE_DATABASE_BUSY_TIMEOUT: "200ms" };

async function project(migrations: object): Promise<Project> {
  const made = await Project.make({ "springhouse.config.json": JSON.stringify({ migrations }) });
  await mkdir(made.path("migrations"));
  return made;
}

describe("the settings of migrations", () => {
  it("say where the files are", async () => {
    await using made = await project({ directory: "db/steps" });

    const { code } = await made.run("migrate new first");

    expect(code).toBe(0);
    expect(await readdir(made.path("db/steps"))).toEqual(["0001_first.sql"]);
  });

  it.each(["up", "up --dry-run", "status", "plan", "verify", "down"])(
    "name a folder that is not there, at migrate %s, and make no database",
    async (words) => {
      await using made = await Project.make({
        "springhouse.config.json": '{ "migrations": { "directory": "migratoins" } }',
      });

      const { code, err } = await made.run(`migrate ${words}`);

      expect(code).toBe(1);
      if (words !== "verify") expect(err).toContain(`${made.path("migratoins")} does not exist`);
      expect(await readdir(made.folder)).not.toContain("app.db");
    },
  );

  it("limit the rows of a batch", async () => {
    await using made = await project({ batchSize: 3 });
    made.sql(
      "app.db",
      "CREATE TABLE numbers (id INTEGER PRIMARY KEY)",
      "INSERT INTO numbers SELECT value FROM json_each('[1,2,3,4,5,6,7,8]')",
    );
    await writeFile(
      made.path("migrations/0001_count.ts"),
      `
        import { appendFileSync } from "node:fs";
        export const up = "CREATE TABLE other (id INTEGER)";
        export const data = (step) =>
          step.eachBatch({ table: "numbers", columns: ["id"] }, async (rows) => {
            appendFileSync(${JSON.stringify(made.path("batches"))}, rows.length + " ");
          });
      `,
    );

    const { code } = await made.run("migrate up --yes");

    expect(code).toBe(0);
    const sizes = (await readFile(made.path("batches"), "utf8")).trim().split(" ").map(Number);
    expect(Math.max(...sizes)).toBe(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(8);
  });

  it("limit how long another process is waited for", async () => {
    await using made = await project({ timeout: "100ms" });
    await writeFile(made.path("migrations/0001_a.sql"), "-- up\nCREATE TABLE a (b);\n");
    made.sql("app.db", "PRAGMA journal_mode = WAL", "CREATE TABLE c (d)");
    const other = new DatabaseSync(made.path("app.db"));
    other.exec("BEGIN IMMEDIATE");

    const { code, err } = await made.run("migrate up", { env: BUSY_AT_ONCE });
    other.close();

    expect(code).toBe(1);
    expect(err).toMatch(/^error (?:MIGRATION_LOCKED|BUSY): /);
  });

  it("give the budget of a batch, which must be a whole millisecond", async () => {
    await using made = await project({ latencyBudget: "0.5ms" });

    const { err } = await made.run("migrate status");

    expect(err).toContain("latencyBudgetMs must be a whole number from 1");
  });
});
