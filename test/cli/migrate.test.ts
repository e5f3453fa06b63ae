import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  migrated,
  project,
  redeclare,
  schema,
  withDestructive,
  written,
} from "./migrate-project.ts";
import { Project } from "./support.ts";

describe("springhouse migrate new", () => {
  it("writes the difference to the entities, and makes no database for that", async () => {
    await using made = await project();

    const { code, out } = await made.run("migrate new first");

    expect(code).toBe(0);
    expect(out).toContain("wrote migrations/0001_first.sql");
    expect(out).toContain("Review it, then: npx springhouse migrate up");
    expect(await readFile(made.path("migrations/0001_first.sql"), "utf8")).toMatch(
      /CREATE TABLE "?notes"?/,
    );
    expect(await readdir(made.folder)).not.toContain("app.db");
  });

  it("writes an empty migration with --empty, without entities, and without autoGenerate", async () => {
    await using made = await project();
    await using bare = await Project.make();
    await using manual = await Project.make({
      "springhouse.config.json":
        '{ "entities": "./schema.ts", "migrations": { "auto_generate": false } }',
      "schema.ts": schema("title: t.text()"),
    });

    for (const one of [made, bare, manual]) {
      const { code, out } = await one.run(
        one === made ? "migrate new empty --empty --ts" : "migrate new empty",
      );
      expect(code).toBe(0);
      expect(out).toMatch(/wrote migrations\/0001_empty\.(?:sql|ts)/);
      const [file = ""] = await readdir(one.path("migrations"));
      expect(await readFile(one.path(`migrations/${file}`), "utf8")).not.toContain("CREATE TABLE");
    }
  });

  it("renames what it is told to rename, and refuses a form that is none", async () => {
    await using made = await migrated();
    await redeclare(made, "headline: t.text()");

    const wrong = await made.run("migrate new second --rename title");
    const typo = await made.run("migrate new second --rename notes.title=headlin");
    const { out } = await made.run("migrate new second --rename notes.title=headline");

    expect(wrong.err).toContain("--rename title: give table=name or table.column=name.");
    expect(typo).toMatchObject({ code: 2 });
    expect(typo.err).toContain(
      'Rename to "headlin": notes has no column of that name in the declaration; it has id, headline',
    );
    expect(out).toMatch(/notes\.title .*renamed to headline/);
    expect(await readFile(made.path("migrations/0002_second.sql"), "utf8")).toContain("RENAME");
  });

  it("says that there was no difference to write", async () => {
    await using made = await migrated();

    const { out } = await made.run("migrate new second");

    expect(out).toContain("It is empty: the database is as the entities declare it.");
  });

  it("says what is wrong with a module of entities", async () => {
    const config = (entities: string): Record<string, string> => ({
      "springhouse.config.json": JSON.stringify({ entities }),
      "empty.ts": "export const a = 5;",
      "broken.ts": "throw new Error('inside');",
    });
    await using none = await Project.make(config("./none.ts"));
    await using empty = await Project.make(config("./empty.ts"));
    await using broken = await Project.make(config("./broken.ts"));

    expect((await none.run("migrate new a")).err).toMatch(/error CONFIG: entities: .*none\.ts/);
    expect((await empty.run("migrate new a")).err).toContain("it exports no entity");
    expect((await broken.run("migrate new a")).err).toContain("cannot be used: inside");
  });
});

describe("springhouse migrate plan and status", () => {
  it("show what is pending before there is a database", async () => {
    await using made = await written();

    const plan = await made.run("migrate plan");
    const status = await made.run("migrate status");

    expect(plan.code).toBe(0);
    expect(plan.out).toMatch(/^pending 0001_first\n/);
    expect(plan.out).toMatch(/ {4}CREATE TABLE/);
    expect(status.code).toBe(1);
    expect(status.out).toMatch(/^version {2}name/);
    expect(status.out).toContain("pending");
    expect(status.out).toContain("Version 0, 1 pending.");
    expect(await readdir(made.folder)).not.toContain("app.db");
  });

  it("show that nothing is pending, and what the entities would change", async () => {
    await using made = await migrated();

    const same = await made.run("migrate plan");
    await redeclare(made, "title: t.text(), body: t.text().default('')");
    const other = await made.run("migrate plan");
    const status = await made.run("migrate status");

    expect(same.out).toContain("Nothing is pending.\nThe file is as the entities declare it.");
    expect(other.out).toContain("The file differs from the entities");
    expect(other.out).toContain("body");
    expect(status).toMatchObject({
      code: 0,
      out: expect.stringContaining("Up to date at version 1"),
    });
  });

  it("count what is wrong beside what is pending", async () => {
    await using made = await migrated();
    await writeFile(made.path("migrations/0001_first.sql"), "SELECT 1;");

    const { code, out } = await made.run("migrate status");

    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringContaining("\nVersion 1, 0 pending, 1 changed.\n"),
    });
  });

  it("give each statement a title and do not compare what is not migrated yet", async () => {
    await using made = await written();
    await made.run("migrate new filled --empty");

    const { out } = await made.run("migrate plan");

    expect(out).toMatch(/^ {2}CREATE TABLE notes\n {4}CREATE TABLE "notes" \(\n/m);
    expect(out).toContain("pending 0002_filled (no way back)\n  (empty)\n");
    expect(out).not.toContain("differs from the entities");
    expect(out).toContain("The file is compared with the entities once nothing is pending");
  });

  it("end at the version they are told, and say the same as JSON", async () => {
    await using made = await written();
    await made.run("migrate new second --empty");

    const { code, out } = await made.run("migrate plan --to 1 --json");

    expect(code).toBe(0);
    expect(JSON.parse(out).pending).toMatchObject([{ version: 1, name: "first" }]);
  });
});

describe("springhouse migrate up", () => {
  it("applies what is pending, and then has nothing to do", async () => {
    await using made = await written();

    const first = await made.run("migrate up");
    const second = await made.run("migrate up");

    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^applied 0001_first \(/);
    expect(first.out).toMatch(/Migrations completed in \d+\.\d{3}s: 1 migration, version 1\.\n$/);
    expect(second).toMatchObject({
      code: 0,
      out: "Nothing to do: the database is at version 1.\n",
    });
    expect((await stat(made.path("app.db"))).mode & 0o777).toBe(0o600);
  });

  it("stops at --to, and draws progress where somebody looks", async () => {
    await using made = await written();
    await made.run("migrate new second --empty");

    const { out, err } = await made.run("migrate up --to 1 --json", { progressColumns: 80 });

    expect(JSON.parse(out)).toMatchObject({ version: 1, migrations: [{ name: "first" }] });
    expect(err).toContain("0001_first");
    expect(err).toContain("1/1 migrations");
  });

  it("rehearses with --dry-run and changes nothing", async () => {
    await using made = await withDestructive();

    const { code, out } = await made.run("migrate up --dry-run");
    const status = await made.run("migrate status");

    expect(code).toBe(0);
    expect(out).toContain("rehearsed 0002_drop_title");
    expect(out).toContain("The rehearsal went well. The database was not changed.");
    expect(status.out).toContain("Version 1, 1 pending.");
  });

  it("asks before data may be lost", async () => {
    await using made = await withDestructive();
    const answers = (answer: string): { ask: (question: string) => Promise<string> } => ({
      ask: async (question) => {
        expect(question).toBe("These migrations may lose data: 0002_drop_title. Go on? [y/N] ");
        return answer;
      },
    });

    const no = await made.run("migrate up", answers("n"));
    const nobody = await made.run("migrate up");
    const machine = await made.run("migrate up --json", answers("y"));
    const yes = await made.run("migrate up", answers("Yes"));

    expect(no).toMatchObject({ code: 1, err: "error ABORTED: Nothing was done.\n" });
    expect(nobody.code).toBe(2);
    expect(nobody.err).toContain("may lose data: 0002_drop_title. Add --yes to agree.");
    expect(JSON.parse(machine.out)).toMatchObject({ error: { code: "USAGE" } });
    expect(yes.out).toContain("applied 0002_drop_title");
  });

  it("does not ask with --yes", async () => {
    await using made = await withDestructive();

    expect((await made.run("migrate up --yes")).code).toBe(0);
  });

  it("prints file, line and reason of a migration that fails, and leaves the rest", async () => {
    await using made = await written();
    await writeFile(
      made.path("migrations/0002_bad.sql"),
      "-- up\nCREATE TABLE a (b);\nINSERT INTO nowhere VALUES (1);\n-- down\nDROP TABLE a;\n",
    );

    const { code, err } = await made.run("migrate up");
    const status = await made.run("migrate status --json");

    expect(code).toBe(1);
    expect(err).toMatch(/^error MIGRATION_FAILED: .*0002.*/);
    expect(err).toContain("nowhere");
    expect(JSON.parse(status.out)).toMatchObject({ version: 1, pending: [{ name: "bad" }] });
  });

  it("is interrupted with 130 and leaves the database as it was", async () => {
    await using made = await written();

    const { code, err } = await made.run("migrate up", { signal: AbortSignal.abort() });

    expect(code).toBe(130);
    expect(err).toContain("error ABORTED");
    expect((await made.run("migrate status")).out).toContain("Version 0, 1 pending.");
  });

  it("passes on --only and --out-of-order", async () => {
    await using made = await written();
    await writeFile(made.path("migrations/0002_second.sql"), "-- up\nCREATE TABLE a (b);\n");

    const refused = await made.run("migrate up --only 2");
    const forced = await made.run("migrate up --only 2 --out-of-order");

    expect(refused.err).toMatch(/error MIGRATION_OUT_OF_ORDER.*--out-of-order/);
    expect(forced.code).toBe(0);
    expect(forced.out).toContain("applied 0002_second");
  });
});

describe("springhouse migrate down", () => {
  it("reverts the newest one, or several", async () => {
    await using made = await withDestructive();
    await made.run("migrate up --yes");

    const one = await made.run("migrate down --yes");
    const all = await made.run("migrate down --to 0 --yes --json");

    expect(one.code).toBe(0);
    expect(one.out).toMatch(/^reverted 0002_drop_title/m);
    expect(JSON.parse(all.out)).toMatchObject({ direction: "down", version: 0 });
  });

  it("asks first, and names what it would revert", async () => {
    await using made = await withDestructive();
    await made.run("migrate up --yes");

    const one = await made.run("migrate down");
    const all = await made.run("migrate down --to 0");

    expect(one.code).toBe(2);
    expect(one.err).toContain("reverts 0002_drop_title and loses what was added. Add --yes");
    expect(all.err).toContain("reverts 0002_drop_title, 0001_first and loses");
    expect((await made.run("migrate status")).out).toContain("Up to date at version 2.");
  });
});

describe("springhouse migrate verify", () => {
  it("is content with a database that its migrations made", async () => {
    await using made = await migrated();

    const { code, out } = await made.run("migrate verify");

    expect({ code, out: out.trim().split("\n").at(-1) }).toEqual({
      code: 0,
      out: "Everything agrees.",
    });
  });

  it("names an applied migration that was edited, and a schema that was altered", async () => {
    await using made = await migrated();
    made.sql("app.db", "ALTER TABLE notes ADD COLUMN sneaked TEXT");
    const path = made.path("migrations/0001_first.sql");
    await writeFile(path, `${await readFile(path, "utf8")}\n-- edited\nSELECT 1;\n`);

    const text = await made.run("migrate verify");
    const json = await made.run("migrate verify --json");

    expect(text.code).toBe(1);
    expect(text.out).toContain("MIGRATION_CHANGED: ");
    expect(text.out).toContain("SCHEMA_DRIFT: ");
    expect(text.out).toMatch(/\n\d problems were found\.\n$/);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false });
  });

  it("needs a database", async () => {
    await using made = await project();
    await rm(made.path("app.db"), { force: true });

    const { code, err } = await made.run("migrate verify");

    expect(code).toBe(1);
    expect(err).toMatch(/error UNOPENABLE: .*app\.db does not exist\. Run: .*migrate up\./);
  });
});
