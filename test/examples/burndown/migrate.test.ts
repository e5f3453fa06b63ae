import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { exportFolder } from "../../../examples/burndown/export.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { everythingOf, FILES, folderOf, HISTORY, ISSUE, MAIN, migratedOf } from "./old-folder.ts";
import { NOW, temporaryFolder } from "./support.ts";

describe("a migration", () => {
  it("takes over everything, as the old files say it", async () => {
    using folder = folderOf();
    const old = await everythingOf(openJsonBackend(folder.path));

    const report = await migrateFolder(folder.path);

    expect(report).toMatchObject({ status: "migrated", refused: [], notes: [], tokens: ["p_1"] });
    expect(report.tables).toMatchObject({ jira_issues: 2, jira_changelogs: 2, queries: 1 });
    expect(await migratedOf(folder.path)).toEqual(old);
    expect(old).toMatchObject({
      issues: [{ key: "ALOY-1" }, { key: "ALOY-2", points: 3 }],
      changelogs: [{ entries: [{ field: "status", item: { to: "6" } }] }, { entries: [] }],
      report: "weekly.html",
    });
  });

  it("is done once", async () => {
    using folder = folderOf();
    await migrateFolder(folder.path);
    const { mtimeMs } = statSync(databasePath(folder.path));

    const again = await migrateFolder(folder.path);

    expect(again.status).toBe("already");
    expect(statSync(databasePath(folder.path)).mtimeMs).toBe(mtimeMs);
  });

  it("can be rehearsed, which leaves nothing", async () => {
    using folder = folderOf();

    const report = await migrateFolder(folder.path, { dryRun: true });

    expect(report).toMatchObject({ status: "rehearsed", backup: null });
    expect(readdirSync(folder.path).sort()).toEqual(["cache", "profiles", "task_progress.json"]);
    expect(readdirSync(join(folder.path, "profiles")).sort()).toEqual(["p_1", "profiles.json"]);
  });

  it("keeps tokens out of the database and of the copies, and for whoever may read them", async () => {
    using folder = folderOf();

    const { backup } = await migrateFolder(folder.path);

    const files = readdirSync(folder.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const found = files.filter((file) => readFileSync(file, "latin1").includes("s3cret-token"));
    expect(found.sort()).toEqual([
      join(folder.path, "profiles/p_1/profile.json"),
      join(folder.path, "secrets.json"),
    ]);
    expect(statSync(join(folder.path, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(statSync(databasePath(folder.path)).mode & 0o777).toBe(0o600);
    expect(backup).toMatch(/backups\/migration-\d{8}-\d{6}$/);
    const copy = readFileSync(join(backup ?? "", "profiles/p_1/profile.json"), "utf8");
    expect(copy).toContain('"token": "***"');
    expect(statSync(join(backup ?? "", "profiles/p_1/profile.json")).mode & 0o777).toBe(0o600);
  });

  it("leaves the old files as they were", async () => {
    using folder = folderOf();
    const before = Object.keys(FILES).map((file) => readFileSync(join(folder.path, file), "utf8"));

    await migrateFolder(folder.path);

    const after = Object.keys(FILES).map((file) => readFileSync(join(folder.path, file), "utf8"));
    expect(after).toEqual(before);
  });

  it("comes back as old files, which make the same database again", async () => {
    using folder = folderOf();
    using target = temporaryFolder();
    await migrateFolder(folder.path);
    const before = await migratedOf(folder.path);
    const backend = await openSqliteBackend(databasePath(folder.path));
    const report = await exportFolder(backend, target.path);
    await backend.close();

    await migrateFolder(target.path);

    expect(report).toMatchObject({ profiles: 1, queries: 1, issues: 2 });
    expect(await migratedOf(target.path)).toEqual(before);
    expect(existsSync(join(target.path, "secrets.json"))).toBe(false);
  });

  it("reads the forms of older versions", async () => {
    using folder = folderOf({
      [`${MAIN}/query.json`]: { name: "All", jql_query: "project = ALOY" },
      [`${MAIN}/jira_cache.json`]: {
        version: "1.0",
        jql_query: "project = ALOY",
        fields: ["key"],
        cached_at: "2025-12-01T00:00:00",
        issue_count: 1,
        issues: [ISSUE],
      },
      [`${MAIN}/jira_changelog_cache.json`]: {
        cache_version: "1.0",
        timestamp: NOW,
        issues: [{ key: "ALOY-1", fields: {}, changelog: { histories: [HISTORY] } }],
        total_issues: 1,
      },
    });
    const old = await everythingOf(openJsonBackend(folder.path));

    await migrateFolder(folder.path);

    expect(await migratedOf(folder.path)).toEqual(old);
    expect(old).toMatchObject({
      queries: [{ jql: "project = ALOY" }],
      caches: [{ createdAt: "2025-12-01T00:00:00.000Z", expiresAt: "2025-12-02T00:00:00.000Z" }],
      changelogs: [{ issueKey: "ALOY-1", entries: [{ newValue: "Closed" }] }],
    });
  });

  it("keeps a NUL that stands in an issue, and numbers that are too long for JavaScript", async () => {
    const odd = { ...ISSUE, fields: { ...ISSUE.fields, summary: "a\0b", rank: 1 } };
    const text = JSON.stringify({ jql_query: "x", timestamp: NOW, issues: [odd] });
    using folder = folderOf({
      [`${MAIN}/jira_cache.json`]: text.replace('"rank":1', '"rank":123456789012345678'),
    });

    await migrateFolder(folder.path);

    expect(await migratedOf(folder.path)).toMatchObject({
      caches: [
        {
          response: {
            issues: [{ fields: { summary: "a\0b", rank: 123456789012345678n } }],
          },
        },
      ],
    });
    using db = new DatabaseSync(databasePath(folder.path), { readOnly: true });
    const [row] = db.prepare("SELECT summary, document FROM jira_issues").all();
    expect(row).toMatchObject({ summary: "a\uFFFDb" });
    expect(row?.["document"]).toContain('"rank":123456789012345678');
  });

  it("gives names that are there twice a number, and says so", async () => {
    using folder = folderOf({
      "profiles/p_2/profile.json": { name: "Team" },
      "profiles/p_1/queries/other/query.json": { name: "All", jql: "x" },
    });

    const { notes } = await migrateFolder(folder.path);

    expect(notes).toEqual([
      'The name "Team" was there twice: profile "p_2" is now "Team (2)"',
      'The name "All" was there twice: query of profile "p_1" "other" is now "All (2)"',
    ]);
  });

  it("does not use what is not there, and says so", async () => {
    using folder = folderOf({
      "profiles/profiles.json": { active_profile_id: "gone", active_query_id: "main" },
    });

    const { notes } = await migrateFolder(folder.path);

    expect(notes).toEqual(['The profile in use, "gone", is not there: the one used last is']);
    expect(await migratedOf(folder.path)).toMatchObject({
      selection: { profileId: "p_1", queryId: "main" },
    });
  });

  it("is made by one of two that begin at once, and is there for both", async () => {
    using folder = folderOf();

    const reports = await Promise.all([migrateFolder(folder.path), migrateFolder(folder.path)]);

    expect(reports.map(({ status }) => status).sort()).toEqual(["already", "migrated"]);
  });
});

describe("a migration of files that are broken", () => {
  const BROKEN: readonly [string, string, unknown, number][] = [
    ["a small file that breaks off", "profiles/p_1/profile.json", '{\n"name": "a"', 2],
    ["a small file that is not UTF-8", "profiles/p_1/profile.json", Buffer.from([0x7b, 0xe4]), 1],
    ["answers that break off", `${MAIN}/jira_cache.json`, '{"issues": [\n{"key": "A-1"', 1],
    ["an issue without a key", `${MAIN}/jira_cache.json`, '{\n"issues": [\n{"fields": {}}]}', 3],
    ["an issue that is no JSON", `${MAIN}/jira_cache.json`, '{\n"issues": [\n{"key": tru}]}', 3],
    [
      "a change at no moment",
      `${MAIN}/jira_changelog_cache.json`,
      '{\n"A-1": {"changelog": {"histories": [{"created": "soon", "items": []}]}}}',
      2,
    ],
    ["a week that is none", `${MAIN}/metrics_snapshots.json`, '{"2025-77": {}}', 1],
    ["figures that are none", `${MAIN}/project_data.json`, '{"statistics": [{"date": 5}]}', 1],
  ];

  it.each(BROKEN)(
    "names the file and the line of %s, and changes nothing",
    async (_, ...broken) => {
      const [file, content, line] = broken;
      using folder = folderOf({ [file]: content });

      const failed = await migrateFolder(folder.path).catch((error: unknown) => error);

      expect(failed).toMatchObject({ code: "VALIDATION", fields: { file, line } });
      expect(String(failed)).toContain(`${file}, line ${line}: `);
      expect(existsSync(databasePath(folder.path))).toBe(false);
    },
  );

  it("leaves them out when it is told to, and takes the rest", async () => {
    using folder = folderOf({
      "profiles/p_2/profile.json": '{"name": ',
      // Each file in a query of its own, which is there whatever becomes of the file.
      ...Object.fromEntries(
        BROKEN.slice(2).map(([, file, content], index) => [
          file.replace("/main/", `/broken_${index}/`),
          content,
        ]),
      ),
    });

    const report = await migrateFolder(folder.path, { skipBad: true });

    expect(report.refused.map(({ file, line }) => `${file} ${line}`).sort()).toEqual(
      [
        "profiles/p_2/profile.json 1",
        ...BROKEN.slice(2).map(
          ([, file, , line], index) => `${file.replace("/main/", `/broken_${index}/`)} ${line}`,
        ),
      ].sort(),
    );
    expect(report.tables).toMatchObject({ profiles: 2, queries: BROKEN.length - 1 });
    const { issues, project } = (await migratedOf(folder.path)) as Record<string, unknown>;
    expect([issues, project]).toEqual([
      [expect.objectContaining({ key: "ALOY-1" }), expect.objectContaining({ key: "ALOY-2" })],
      expect.objectContaining({ updatedAt: NOW }),
    ]);
  });

  it("names all of the small files that are broken at once", async () => {
    using folder = folderOf({ "profiles/p_1/profile.json": "", [`${MAIN}/query.json`]: "[" });

    const failed = migrateFolder(folder.path);

    await expect(failed).rejects.toThrow("profiles/p_1/profile.json, line 1: is not JSON");
    await expect(failed).rejects.toMatchObject({ fields: { problems: { length: 2 } } });
  });

  it("goes on when they are mended", async () => {
    using folder = folderOf({ [`${MAIN}/jira_cache.json`]: '{"issues": [' });
    await expect(migrateFolder(folder.path)).rejects.toThrow();
    const whole = JSON.stringify(FILES[`${MAIN}/jira_cache.json`]);
    writeFileSync(join(folder.path, MAIN, "jira_cache.json"), whole);

    const report = await migrateFolder(folder.path);

    expect(report).toMatchObject({ status: "migrated", refused: [] });
    expect(report.tables["jira_issues"]).toBe(2);
  });

  it.each([
    ["of a query", Object.keys(FILES).filter((file) => file.startsWith(MAIN))],
    ["of the rest", Object.keys(FILES).filter((file) => !file.startsWith(MAIN))],
  ])("does without the files %s", async (_, missing) => {
    using folder = folderOf();
    for (const file of missing) rmSync(join(folder.path, file));

    const report = await migrateFolder(folder.path);

    expect(report).toMatchObject({ status: "migrated", refused: [], notes: [] });
    expect(report.tables).toMatchObject({ profiles: 1, queries: 1 });
  });
});
