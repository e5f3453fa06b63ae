import { describe, expect, it } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { Project } from "./support.ts";

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
  readonly changeLog: readonly {
    readonly table: string;
    readonly level: string;
    readonly reason?: string;
    readonly inPlace: boolean;
  }[];
}

const Task = entity("tasks", { id: t.int().primaryKey(), title: t.text() });

const TASKS = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT";

/** A file with one table of each kind, in which a cached function has made the log. */
async function logged(): Promise<Project> {
  const project = await unlogged();
  await readOnce(project);
  return project;
}

async function unlogged(): Promise<Project> {
  const project = await Project.make();
  project.sql(
    "app.db",
    "PRAGMA journal_mode = WAL",
    TASKS,
    "CREATE TABLE people (name TEXT)",
    "CREATE UNIQUE INDEX people_name ON people (lower(name))",
    "CREATE VIRTUAL TABLE pages USING fts5 (text)",
  );
  return project;
}

/** What a program does that keeps results. */
async function readOnce(project: Project): Promise<void> {
  await using db = await open({ url: `sqlite:${project.path("app.db")}`, entities: [Task] });
  await db.cached("titles", (q) => q.selectFrom("tasks").select("title").execute())();
}

async function examine(project: Project): Promise<Report> {
  const { out } = await project.run("doctor --json");
  return JSON.parse(out) as Report;
}

const logLine = ({ checks }: Report) => checks.find(({ name }) => name === "change log");

describe("what doctor says about the log of changes", () => {
  it("is how each table is covered, and why not better", async () => {
    await using project = await logged();

    const report = await examine(project);

    expect(logLine(report)).toEqual({
      name: "change log",
      status: "ok",
      found: "tables: 1 by row, 1 as a whole, 1 not",
    });
    expect(report.changeLog).toEqual([
      { table: "pages", level: "none", reason: expect.stringContaining("virtual"), inPlace: true },
      {
        table: "people",
        level: "table",
        reason: "a unique index is over an expression",
        inPlace: true,
      },
      { table: "tasks", level: "rows", inPlace: true },
    ]);
  });

  it("is that a file in UTF-16 is judged less precisely", async () => {
    await using project = await Project.make();
    project.sql("app.db", "PRAGMA encoding = 'UTF-16le'", "PRAGMA journal_mode = WAL", TASKS);

    const before = logLine(await examine(project));
    await readOnce(project);
    const after = logLine(await examine(project));

    const note = "; the file is in UTF-16, so conditions on the order of texts count as met";
    expect(before).toMatchObject({ found: `none yet: the first cached read makes it${note}` });
    expect(after).toMatchObject({ found: `tables: 1 by row, 0 as a whole, 0 not${note}` });
  });

  it("is a table of its own for people", async () => {
    await using project = await logged();

    const { out, code } = await project.run("doctor");

    expect(code).toBe(0);
    expect(out).toMatch(/^table +changes are logged$/m);
    expect(out).toMatch(/^tasks +by row$/m);
    expect(out).toMatch(/^people +as a whole, since a unique index is over an expression$/m);
    expect(out).toMatch(/^pages +not: no result is kept, since it is a virtual table/m);
  });

  it("is what would be, in a file that has no log yet, and makes none", async () => {
    await using project = await unlogged();

    const first = await examine(project);
    const { out } = await project.run("doctor");

    expect(logLine(first)).toMatchObject({ status: "ok", found: expect.stringMatching(/^none/) });
    expect(first.changeLog).toContainEqual({ table: "tasks", level: "rows", inPlace: false });
    expect(out).toMatch(/^tasks +by row \(once its triggers are there\)$/m);
  });

  it("warns of triggers that somebody has dropped, until they are there again", async () => {
    await using project = await logged();
    project.sql("app.db", "DROP TABLE tasks", TASKS);

    const broken = await examine(project);
    await readOnce(project);
    const mended = await examine(project);

    expect(broken.ok).toBe(true);
    expect(logLine(broken)).toMatchObject({
      status: "warn",
      found: "triggers are missing or altered: tasks",
    });
    expect(broken.changeLog).toContainEqual({ table: "tasks", level: "rows", inPlace: false });
    expect(logLine(mended)).toMatchObject({ status: "ok" });
  });

  it("is nothing for a database that is not there", async () => {
    await using project = await Project.make();

    expect((await examine(project)).changeLog).toEqual([]);
  });
});
