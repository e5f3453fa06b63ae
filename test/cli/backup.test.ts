import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { withDestructive } from "./migrate-project.ts";
import { Project } from "./support.ts";

const KEY = "ab".repeat(32);

async function project(): Promise<Project> {
  const made = await Project.make();
  made.sql(
    "app.db",
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE notes (a)",
    "INSERT INTO notes VALUES (1)",
  );
  return made;
}

function notes(of: Project, name = "app.db"): number {
  using database = new DatabaseSync(of.path(name));
  return Number(database.prepare("SELECT count(*) AS n FROM notes").get()?.["n"]);
}

describe("springhouse backup", () => {
  it("takes no backup of the future for the newest, and says which one is of the future", async () => {
    await using made = await project();
    const clock = new FakeClock(Date.UTC(2026, 10, 26));
    await made.run("backup create --name ahead", { clock: new FakeClock(Date.UTC(2099, 0, 1)) });
    const alone = await made.run("backup verify", { clock });
    await made.run("backup create --name now", { clock });

    const verified = await made.run("backup verify", { clock });
    const listed = await made.run("backup list", { clock });
    const pruned = await made.run("backup prune --keep-last 1 --json", { clock });

    expect(alone.out).toContain("sound ahead");
    expect(verified.out).toContain("sound now");
    expect(listed.out).toMatch(/ahead .*of the future\n.*now (?!.*future)/);
    expect(JSON.parse(pruned.out)).toMatchObject({ removed: [] });
  });

  it("goes from create to restore", async () => {
    await using made = await project();

    const created = await made.run("backup create --name first");
    made.sql("app.db", "INSERT INTO notes VALUES (2)");
    const verified = await made.run("backup verify first");
    const rehearsed = await made.run("backup restore first --dry-run");
    const unasked = await made.run("backup restore first");
    const before = notes(made);
    const restored = await made.run("backup restore first --yes");
    const beside = await made.run("backup restore first --target beside.db");
    const listed = await made.run("backup list");

    expect(created).toMatchObject({ code: 0, out: expect.stringContaining("made first") });
    expect(verified.code).toBe(0);
    for (const proof of [
      "sound first",
      "SHA-256",
      "integrity_check",
      "foreign_key_check",
      "1 rows of 1",
    ]) {
      expect(verified.out).toContain(proof);
    }
    expect(rehearsed.out).toContain("would back up what is there first");
    expect(rehearsed.out).toContain("Nothing was changed.");
    expect(unasked).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(before).toBe(2);
    expect(restored.out).toMatch(/backed up what was there, .*, as backup_\d{8}_\d{6}/);
    expect(beside.code).toBe(0);
    expect([notes(made), notes(made, "beside.db")]).toEqual([1, 1]);
    expect(listed.out).toMatch(/pre-restore.*\n.*first /);
  });

  it("says with 1 that one is damaged, and which", async () => {
    await using made = await project();
    await made.run("backup create --name good");
    await made.run("backup create --name bad");
    writeFileSync(made.path("backups/bad/database.zst"), "x");

    const verified = await made.run("backup verify --all --json");
    const listed = await made.run("backup list");

    expect(verified.code).toBe(1);
    const { backups } = JSON.parse(verified.out) as { backups: { name: string; ok: boolean }[] };
    expect(backups.map(({ name, ok }) => [name, ok]).sort()).toEqual([
      ["bad", false],
      ["good", true],
    ]);
    expect(listed).toMatchObject({ code: 1, out: expect.stringContaining("DAMAGED") });
  });

  it("sees in the list that the data of a verified one is gone, and so does health", async () => {
    await using made = await project();
    await made.run("backup create --name first");
    rmSync(made.path("backups/first/database.zst"));

    const listed = await made.run("backup list");
    const health = await made.run("health");

    expect(listed).toMatchObject({ code: 1, out: expect.stringMatching(/first .* DAMAGED/) });
    expect(listed.out).toMatch(/^first: .*database\.zst is missing/m);
    expect(health.out).toMatch(/^backups +warning +none of 1 is verified$/m);
    expect(health.out).toContain("warning backups: first is damaged.");
  });

  it("takes the key from the environment or a file, and never prints it", async () => {
    await using made = await project();
    writeFileSync(made.path("key"), KEY, { mode: 0o600 });
    writeFileSync(made.path("open-key"), KEY, { mode: 0o644 });
    const variable = "SPRINGHOUSE_BACKUP_ENCRYPTION_KEY";

    const runs = [
      await made.run("backup create --name b", { env: { [variable]: KEY } }),
      await made.run("backup verify b", { env: { [`${variable}_FILE`]: "key" } }),
      await made.run("backup verify b"),
      await made.run("backup verify b", { env: { [variable]: "cd".repeat(32) } }),
      await made.run("backup verify b", { env: { [`${variable}_FILE`]: "open-key" } }),
      await made.run("backup create", { env: { [variable]: "hunter2" } }),
    ];

    expect(runs.map(({ code }) => code)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(runs[2]?.err).toContain("is encrypted");
    expect(runs[3]?.err).toContain("another key");
    expect(runs[4]?.err).toContain("chmod 600");
    const printed = runs.map(({ out, err }) => out + err).join("");
    expect(printed).not.toContain(KEY);
    expect(printed).not.toContain("hunter2");
  });

  it("plans a clean-up before it removes anything, and keeps what is pinned", async () => {
    await using made = await project();
    const clock = new FakeClock(Date.UTC(2026, 0, 1));
    for (const name of ["a", "b", "c"]) {
      clock.advance(86_400_000);
      await made.run(`backup create --name ${name}`, { clock });
    }
    await made.run("backup pin a --reason first");

    const plan = await made.run("backup prune --keep-last 1 --dry-run");
    const unasked = await made.run("backup prune --keep-last 1");
    const kept = readdirSync(made.path("backups")).sort();
    const pruned = await made.run("backup prune --keep-last 1 --yes");
    const after = readdirSync(made.path("backups")).sort();

    expect(plan.out).toContain("would remove 1 backup");
    expect(unasked.code).toBe(2);
    expect(kept).toEqual(["a", "b", "c"]);
    expect(pruned.out).toMatch(/a +keep +pinned/);
    expect(after).toEqual(["a", "c"]);
  });

  it("runs on schedule what is due, and says what is due next", async () => {
    await using made = await project();
    const env = { SPRINGHOUSE_BACKUP_TIME_ZONE: "UTC" };
    const clock = new FakeClock(Date.UTC(2026, 10, 28, 1));

    const early = await made.run("backup schedule --once", { clock, env });
    clock.advance(3_600_000);
    const due = await made.run("backup schedule --once --json", { clock, env });
    const listed = await made.run("backup schedule --list", { clock, env });
    const stopping = AbortSignal.abort();
    const stopped = await made.run("backup schedule", { clock, env, signal: stopping });

    expect(early.out).toContain("Nothing is due.");
    expect(JSON.parse(due.out)).toMatchObject({ runs: [{ name: "backup", outcome: "ok" }] });
    expect(listed.out).toMatch(
      /backup +0 2 \* \* \* +2026-11-29 02:00 UTC +2026-11-28 02:00 UTC +ok/,
    );
    expect(listed.out).toMatch(/cleanup +0 3 \* \* 0 +2026-11-29 03:00 UTC +never/);
    expect(stopped).toMatchObject({ code: 0, out: "stopped\n" });
    expect(statSync(made.path("backups/schedule.db")).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["backup restore ../../etc/passwd --dry-run", 2],
    ["backup verify nobody", 1],
    ["backup verify a --all", 2],
    ["backup restore", 2],
  ])("%s ends with %i", async (line, code) => {
    await using made = await project();

    expect((await made.run(line)).code).toBe(code);
  });
});

describe("a migration that may lose data", () => {
  it("makes a verified backup first, and names it", async () => {
    await using made = await withDestructive();
    made.sql("app.db", "INSERT INTO notes (id, title) VALUES (1, 'kept')");

    const up = await made.run("migrate up --yes --json");
    const { backups } = JSON.parse(up.out) as { backups: string[] };
    const restored = await made.run(`backup restore ${backups[0]} --target old.db`);

    expect(up.code).toBe(0);
    expect(backups.length).toBe(1);
    expect(restored.code).toBe(0);
    using old = new DatabaseSync(made.path("old.db"));
    expect(old.prepare("SELECT title FROM notes").get()).toEqual({ title: "kept" });
    const listed = JSON.parse((await made.run("backup list --json")).out) as {
      backups: { kind: string; verification: { ok: boolean } }[];
    };
    expect(listed.backups).toMatchObject([{ kind: "pre-migration", verification: { ok: true } }]);
  });

  it("does so before it is reverted", async () => {
    await using made = await withDestructive();
    await made.run("migrate up --yes --no-backup");

    const down = await made.run("migrate down --steps 2 --yes");

    expect(down.out).toMatch(/made and verified backup_\d{8}_\d{6}\nreverted/);
    expect(readdirSync(made.path("backups")).length).toBe(1);
  });

  it("is not run when no backup can be made", async () => {
    await using made = await withDestructive();
    writeFileSync(made.path("backups"), "a file where the folder should be");

    const up = await made.run("migrate up --yes");

    expect(up.code).toBe(1);
    using database = new DatabaseSync(made.path("app.db"));
    expect(database.prepare("SELECT title FROM notes").all()).toEqual([]);
  });

  it("makes none when it is told so, or only rehearses", async () => {
    await using made = await withDestructive();

    await made.run("migrate up --dry-run");
    await made.run("migrate up --yes --no-backup");

    expect(readdirSync(made.folder)).not.toContain("backups");
  });
});
