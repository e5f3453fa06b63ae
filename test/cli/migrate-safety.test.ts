/** What migration commands must not do by accident: lose data, or make a file. */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { migrated, redeclare, written } from "./migrate-project.ts";

describe("a rebuild that springhouse wrote", () => {
  it.each(["", " --ts"])("is no loss while every column is copied%s", async (format) => {
    await using made = await migrated();
    made.sql("app.db", "INSERT INTO notes (id, title) VALUES (1, 'kept')");
    await redeclare(made, "title: t.text({ maxLength: 500 })");
    await made.run(`migrate new limit${format}`);

    const plan = await made.run("migrate plan");
    const up = await made.run("migrate up");

    expect(plan.out).toMatch(/^pending 0002_limit\n/);
    expect(up).toMatchObject({ code: 0, out: expect.stringContaining("applied 0002_limit") });
    await using database = new DatabaseSync(made.path("app.db"), { readOnly: true });
    expect(database.prepare("SELECT title FROM notes").get()).toEqual({ title: "kept" });
  });

  it("is a loss when it leaves out a column, which the file names", async () => {
    await using made = await migrated();
    await redeclare(made, "body: t.text({ maxLength: 500 }).nullable()");

    const { out } = await made.run("migrate new shrink");
    const up = await made.run("migrate up");

    expect(out).toContain("drop column notes.title");
    expect(await readFile(made.path("migrations/0002_shrink.sql"), "utf8")).toContain(
      "drop column notes.title",
    );
    expect(up).toMatchObject({ code: 2, err: expect.stringContaining("may lose data") });
  });

  it("does not excuse what is dropped by hand beside it", async () => {
    await using made = await migrated();
    made.sql("app.db", "CREATE TABLE other (a)");
    await redeclare(made, "title: t.text({ maxLength: 500 })");
    await made.run("migrate new limit");
    const path = made.path("migrations/0002_limit.sql");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("-- down", "DROP TABLE other;\n\n-- down"));

    expect((await made.run("migrate up")).err).toContain("may lose data: 0002_limit");
  });
});

describe("a database that is not there", () => {
  it.each([
    "migrate up --dry-run",
    "migrate down --yes",
    "migrate verify",
    "migrate plan",
    "migrate status",
    "migrate new other --empty",
    "doctor",
  ])("is not made by %s", async (line) => {
    await using made = await written();

    const { err } = await made.run(line);

    expect(err).not.toContain("ASSERTION");
    expect((await readdir(made.folder)).filter((name) => name.includes("app.db"))).toEqual([]);
  });

  it("can be rehearsed all the same, and has nothing to revert", async () => {
    await using made = await written();

    const up = await made.run("migrate up --dry-run");
    const down = await made.run("migrate down");

    expect(up).toMatchObject({ code: 0, out: expect.stringContaining("rehearsed 0001_first") });
    expect(down).toMatchObject({ code: 0, out: expect.stringContaining("Nothing to do") });
  });
});
