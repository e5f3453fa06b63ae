/** Shipping and restoring a moment from the command line; dumps of PostgreSQL. */

import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { newDatabase } from "../backup/postgres-support.ts";
import { skipPostgres } from "../schema/psql.ts";
import { Project, type Run } from "./support.ts";

async function project(): Promise<Project> {
  const made = await Project.make();
  made.sql("app.db", "PRAGMA journal_mode = WAL", "CREATE TABLE notes (a)");
  return made;
}

/** Ships until a line has been said and `work` is done. */
async function shipWhile(made: Project, line: string, work: () => void): Promise<Run> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  let said = "";
  const running = made.run("backup ship", {
    signal: stop.signal,
    err: (text) => {
      said += text;
      if (said.includes(line)) ready.resolve();
    },
  });
  await Promise.race([ready.promise, running]);
  work();
  stop.abort();
  return { ...(await running), err: said };
}

function notes(made: Project, name: string): number {
  using database = new DatabaseSync(made.path(name));
  return Number(database.prepare("SELECT count(*) AS n FROM notes").get()?.["n"]);
}

describe("springhouse backup ship", () => {
  it("ships until it is stopped, and a moment of it is restored", async () => {
    await using made = await project();
    const shipped = await shipWhile(made, "shipped a base", () => {
      made.sql("app.db", "INSERT INTO notes VALUES (1), (2)");
    });
    made.sql("app.db", "DELETE FROM notes");

    const listed = await made.run("backup segments --read");
    const planned = await made.run("backup restore --to latest --dry-run");
    rmSync(made.path("backups/segments/head.json"));
    const headless = [
      await made.run("backup segments"),
      await made.run("backup restore --to latest --dry-run"),
    ];
    const unasked = await made.run("backup restore --to latest");
    const before = notes(made, "app.db");
    const restored = await made.run("backup restore --to 2100-01-01T00:00Z --yes --json");

    expect(shipped).toMatchObject({
      code: 0,
      out: expect.stringContaining("everything committed"),
    });
    expect(shipped.err).toContain("begun a generation, because the store is empty");
    expect(listed).toMatchObject({ code: 0, out: expect.stringContaining("transactions") });
    expect(planned.out).toMatch(
      /^read \d+ segments, .*\n.*SHA-256.*\nwould restore .*app\.db\. Nothing/m,
    );
    for (const run of [listed, planned]) expect(run.out).not.toContain("cannot tell");
    for (const run of headless) {
      expect(run).toMatchObject({ code: 0, out: expect.stringContaining("cannot tell whether") });
    }
    expect(unasked).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(before).toBe(0);
    expect(JSON.parse(restored.out)).toMatchObject({
      ok: true,
      proof: { rows: 2 },
      replaced: { state: "kept" },
    });
    expect(notes(made, "app.db")).toBe(2);
  });

  it("says with 1 that a segment is missing, and which", async () => {
    await using made = await project();
    for (let run = 0; run < 2; run++) {
      await shipWhile(made, "shipping to", () => {
        made.sql("app.db", "INSERT INTO notes VALUES (1)");
      });
    }
    const folder = made.path("backups/segments");
    const [generation = ""] = readdirSync(folder);
    const [base = ""] = readdirSync(join(folder, generation));
    rmSync(join(folder, generation, base));

    const listed = await made.run("backup segments");

    expect(listed).toMatchObject({ code: 1, out: expect.stringContaining("has no whole base") });
  });

  it("explains what it cannot follow", async () => {
    await using made = await project();

    const both = await made.run("backup restore name --to latest");
    const neither = await made.run("backup restore");
    const noTime = await made.run("backup restore --to yesterday");
    const nothing = await made.run("backup restore --to latest --dry-run");

    expect(both).toMatchObject({ code: 2, err: expect.stringContaining("Give the name") });
    expect(neither.code).toBe(2);
    expect(noTime).toMatchObject({
      code: 2,
      err: expect.stringContaining('"yesterday" is no time'),
    });
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining("no whole base") });
  });

  it.each(["2026-02-31T10:00Z", "2026-02-29", "2026-13-01", "2026-04-31T10:00+02:00"])(
    "takes no day that no calendar has: %s",
    async (day) => {
      await using made = await Project.make();

      const { code, err } = await made.run(`backup restore --to ${day} --dry-run`);

      expect(code).toBe(2);
      expect(err).toContain(`"${day}" is no time`);
    },
  );
});

describe("springhouse backup without a server of PostgreSQL", () => {
  const url = "postgres://app@127.0.0.1:1/main";

  it.each([
    ["verify nightly", "are not verified by this command"],
    ["ship", "archive_command"],
  ])("refuses %s by its name", async (words, text) => {
    await using made = await Project.make();

    const { code, err } = await made.run(`backup ${words} --url ${url}`);

    expect(code).toBe(2);
    expect(err).toContain(text);
  });

  const writeDump = (made: Project, name: string, createdAt: string): void => {
    mkdirSync(made.path("backups"), { recursive: true });
    const dump = { format: "springhouse-postgres-dump", name, createdAt, sizeBytes: 4, tables: [] };
    const text = JSON.stringify({ ...dump, sha256: "", proof: "restored" });
    writeFileSync(made.path(`backups/${name}.dump.json`), text);
    writeFileSync(made.path(`backups/${name}.dump`), "four");
  };

  it("pins dumps and removes those that no rule keeps", async () => {
    await using made = await Project.make();
    for (const day of [1, 2, 3]) writeDump(made, `day${day}`, `2026-11-0${day}T02:00:00Z`);

    const pinned = await made.run(`backup pin day1 --url ${url}`);
    const listed = await made.run(`backup list --url ${url}`);
    const planned = await made.run(`backup prune --dry-run --keep-last 1 --url ${url}`);
    const pruned = await made.run(`backup prune --yes --keep-last 1 --url ${url}`);
    const freed = await made.run(`backup pin day1 --remove --url ${url}`);
    const unknown = await made.run(`backup pin day2 --url ${url}`);

    expect([pinned.out, freed.out]).toEqual(["pinned day1\n", "day1 is no longer pinned\n"]);
    expect(listed.out).toMatch(/day1 .* pinned/);
    expect(planned.out).toContain("would remove 1 backup, 4 B");
    expect(pruned.out).toMatch(/day1 +keep +pinned/);
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining("no dump day2") });
    expect(readdirSync(made.path("backups")).sort()).toEqual([
      "day1.dump",
      "day1.dump.json",
      "day3.dump",
      "day3.dump.json",
    ]);
  });

  it("lists a dump as damaged when its size is another one, or it is gone", async () => {
    await using made = await Project.make();
    writeDump(made, "nightly", "2026-11-26T02:00:00Z");

    const whole = await made.run(`backup list --url ${url}`);
    truncateSync(made.path("backups/nightly.dump"), 3);
    const cut = await made.run(`backup list --url ${url}`);
    rmSync(made.path("backups/nightly.dump"));
    const gone = await made.run(`backup list --url ${url}`);

    expect(whole).toMatchObject({ code: 0, out: expect.stringMatching(/nightly .* restored/) });
    expect(cut).toMatchObject({ code: 1, out: expect.stringMatching(/nightly .* DAMAGED/) });
    expect(cut.out).toContain("it has 3 bytes and had 4");
    expect(gone).toMatchObject({ code: 1, out: expect.stringContaining("is not there") });
    writeFileSync(made.path("backups/nightly.dump.json"), "{");
    writeDump(made, "weekly", "2026-11-25T02:00:00Z");
    const unreadable = await made.run(`backup list --url ${url}`);
    expect(unreadable).toMatchObject({ code: 1, out: expect.stringMatching(/weekly .* restored/) });
    expect(unreadable.out).toMatch(/nightly .* DAMAGED/);
    expect(unreadable.out).toContain("nightly.dump.json is damaged: it is no JSON");
  });
});

describe.skipIf(skipPostgres)("springhouse backup for PostgreSQL", () => {
  it("makes, lists and checks a dump of the configured database", async () => {
    await using made = await Project.make();
    const url = newDatabase();

    const created = await made.run(`backup create --name nightly --pin --url ${url}`);
    const listed = await made.run(`backup list --url ${url}`);
    const rehearsed = await made.run(`backup restore nightly --dry-run --url ${url}`);

    expect(created).toMatchObject({ code: 0, out: expect.stringContaining("made nightly") });
    expect(listed.out).toMatch(/nightly.*restored.*pinned/);
    expect(rehearsed).toMatchObject({
      code: 0,
      out: expect.stringContaining("Nothing was changed"),
    });
  });
});
