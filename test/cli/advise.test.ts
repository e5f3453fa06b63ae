import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../advisor/support.ts";
import { Project } from "./support.ts";

const CONFIG = JSON.stringify({ database: { recordWorkload: "recorded.json" } });
const SCRIPT = "SELECT * FROM documents WHERE author = ? ORDER BY written DESC LIMIT 20;";
const DOCUMENTS = [
  "CREATE TABLE documents (id INTEGER PRIMARY KEY, author INTEGER, written INTEGER, body TEXT)",
  rowsOf("documents", 80_000, "i", "i % 500", "i * 7919 % 100003", "hex(zeroblob(60))"),
];

async function made(): Promise<Project> {
  const files = { "springhouse.config.json": CONFIG, "queries.sql": SCRIPT };
  const project = await Project.make(files);
  project.sql("app.db", "PRAGMA journal_mode = WAL", "BEGIN", ...DOCUMENTS, "COMMIT");
  return project;
}

describe("springhouse advise", () => {
  it("proves an index, writes the migration, and has nothing to say once that is applied", async () => {
    await using project = await made();

    const advised = await project.run(
      "advise --workload queries.sql --apply-to-copy --write-migration",
    );
    const migration = readFileSync(
      project.path("migrations/0001_add_idx_documents_author_written.sql"),
      "utf8",
    );
    const rehearsed = await project.run("migrate up --dry-run --json");
    const up = await project.run("migrate up");
    const again = await project.run("advise --workload queries.sql --json");
    const down = await project.run("migrate down --yes");

    expect(advised.code).toBe(1);
    expect(advised.out).toContain(
      "make   documents has no index on (author, written), by which a statement could find its rows",
    );
    expect(advised.out).toContain("measured on a copy: 1 index to make or drop.");
    expect(advised.out).toContain("wrote migrations/0001_add_idx_documents_author_written.sql");
    expect(migration).toContain(
      'CREATE INDEX "idx_documents_author_written" ON "documents" ("author", "written");',
    );
    expect(migration).toMatch(/-- down[\s\S]*DROP INDEX "idx_documents_author_written";/);
    expect(JSON.parse(rehearsed.out)).toMatchObject({
      ok: true,
      dryRun: { migrations: [{ reversible: true }] },
    });
    expect(up.code).toBe(0);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ ok: true, advice: [], statements: 1 });
    expect(down.code).toBe(0);
    expect(readdirSync(project.folder).filter((name) => name.startsWith("app.db"))).toEqual([
      "app.db",
    ]);
  });

  it("takes the workload that the configuration names, and says when there is none", async () => {
    await using project = await made();

    const missing = await project.run("advise");
    await using bare = await Project.make();
    const none = await bare.run("advise");

    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("recorded.json") });
    expect(none.code).toBe(2);
    expect(none.err).toContain("There is no workload. Give --workload FILE");
  });

  it("always names the statements that it could not use", async () => {
    await using project = await Project.make({
      "some.sql":
        "SELEC 1; SELECT * FROM gone; SELECT id FROM documents WHERE id = 1 + ?; SELECT 1;",
      "none.sql": "SELECT * FROM gone;",
      "empty.sql": "-- nothing yet\n",
    });
    project.sql("app.db", "CREATE TABLE documents (id INTEGER PRIMARY KEY)");

    const some = await project.run("advise --workload some.sql");
    const none = await project.run("advise --workload none.sql");
    const empty = await project.run("advise --workload empty.sql");
    const all = await project.run("advise --workload some.sql --all");

    expect(some.code).toBe(0);
    expect(some.out).toMatch(/not {4}SELEC 1\n +.*syntax error/);
    expect(some.out).toMatch(/not {4}SELECT \* FROM gone\n +no such table: gone/);
    expect(some.out).toMatch(/not {4}SELECT id .*\n +it cannot be told what its placeholders/);
    expect(some.out).toMatch(/nothing to gain\. 3 could not be used\.\n$/);
    expect(none.code).toBe(1);
    expect(none.out).toContain("None of 1 statement could be used.");
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.out).toContain("The workload holds no statements.");
    expect(all.out).toContain("no such table: gone");
    expect(all.out).not.toContain("--all");
  });

  it("makes no database file", async () => {
    await using project = await Project.make({ "queries.sql": SCRIPT });

    const { code, err } = await project.run("advise --workload queries.sql");

    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("does not exist"),
    });
    expect(readdirSync(project.folder)).toEqual(["queries.sql"]);
  });
});
