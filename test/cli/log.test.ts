import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { open } from "../../src/index.ts";
import { Project } from "./support.ts";

const OURS = "SELECT name FROM sqlite_schema WHERE name LIKE 'springhouse_log%' ORDER BY 1";

/** A project with a file of somebody else's, from which something was cached once. */
async function made(): Promise<Project> {
  const project = await Project.make();
  project.sql(
    "app.db",
    "CREATE TABLE t (id INTEGER PRIMARY KEY, c, d); INSERT INTO t VALUES (1, 2, 3)",
  );
  await using db = await open({ url: `sqlite:///${project.path("app.db")}`, schema: "ignore" });
  await db.cached("all", () => db.execute("SELECT * FROM t"))();
  return project;
}

function rows(project: Project, text: string): unknown {
  using database = new DatabaseSync(project.path("app.db"));
  return database.prepare(text).all();
}

describe("log remove", () => {
  it("lets every tool alter the tables, and leaves nothing of the log", async () => {
    await using project = await made();
    const drop = () => project.sql("app.db", "ALTER TABLE t DROP COLUMN c");
    expect(drop).toThrow(/error in trigger springhouse_log_t_/);

    const removed = await project.run("log remove --url sqlite:app.db --yes");
    const again = await project.run("log remove --url sqlite:app.db --yes --json");

    expect(removed).toMatchObject({ code: 0, err: "" });
    expect(removed.out).toMatch(/^Removed the log of changes with \d+ rows?, and 5 triggers\. /);
    expect(JSON.parse(again.out)).toEqual({ ok: true, dryRun: false, triggers: [], rows: 0 });
    expect(rows(project, OURS)).toEqual([]);
    drop();
    expect(rows(project, "SELECT * FROM t")).toEqual([{ id: 1, d: 3 }]);
  });

  it("does nothing without consent", async () => {
    await using project = await made();
    const before = rows(project, OURS);

    const dry = await project.run("log remove --url sqlite:app.db --dry-run");
    const silent = await project.run("log remove --url sqlite:app.db");
    const missing = await project.run("log remove --url sqlite:other.db --yes");

    expect(dry).toMatchObject({ code: 0 });
    expect(dry.out).toMatch(/^This would remove .*, and 5 triggers\. Nothing was done\.\n$/);
    expect(silent).toMatchObject({ code: 2 });
    expect(silent.err).toContain("Add --yes to agree.");
    expect(missing).toMatchObject({ code: 1 });
    expect(rows(project, OURS)).toEqual(before);
  });
});
