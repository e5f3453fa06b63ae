/** Odd forms of the old files, of which the migration and the files themselves say the same. */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { exportFolder } from "../../../examples/burndown/export.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { everythingOf, folderOf, MAIN, migratedOf } from "./old-folder.ts";
import { temporaryFolder } from "./support.ts";

describe("an older list of changelogs", () => {
  const issues = `"issues": [{"key": "A-1", "changelog": {"histories": []},
    "fields": {"timestamp": "2001-01-01T00:00:00Z", "x": "${"x".repeat(70_000)}"}}]`;

  it.each([
    ["before", `{"jql_query": "a = '{'", "timestamp": "2025-12-01T10:00:00+01:00", ${issues}}`],
    ["behind", `{"cache_version": "1", ${issues}, "timestamp": "2025-12-01T09:00:00"}`],
    ["only in another word", `{"last_updated": "2025-12-01T09:00:00", ${issues}}`],
  ])("expires by the moment that stands %s its issues", async (_, text) => {
    using folder = folderOf({ [`${MAIN}/jira_changelog_cache.json`]: text });
    const old = await everythingOf(openJsonBackend(folder.path));

    await migrateFolder(folder.path);

    expect(await migratedOf(folder.path)).toEqual(old);
    expect(old).toMatchObject({
      changelogs: [
        { createdAt: "2025-12-01T09:00:00.000Z", expiresAt: "2025-12-02T09:00:00.000Z" },
      ],
    });
  });

  it("is refused when its moment is none, with the line", async () => {
    const text = `{"cache_version": "1",\n"timestamp": "soon", ${issues}}`;
    using folder = folderOf({ [`${MAIN}/jira_changelog_cache.json`]: text });

    await expect(migrateFolder(folder.path)).rejects.toThrow(
      `${MAIN}/jira_changelog_cache.json, line 2: timestamp is "soon", not a moment`,
    );
  });
});

describe("an export", () => {
  /** The files that a migrated folder is exported as. */
  async function exportedOf(
    files: Readonly<Record<string, unknown>>,
    file: string,
  ): Promise<unknown> {
    using folder = folderOf(files);
    using target = temporaryFolder();
    await migrateFolder(folder.path);
    const backend = await openSqliteBackend(databasePath(folder.path));
    await exportFolder(backend, target.path);
    await backend.close();
    return JSON.parse(readFileSync(join(target.path, file), "utf8"));
  }

  it("has unknown keys of the registry as they were, texts and all else", async () => {
    const unknown = { text: "5", number: 5, object: { a: 1 }, list: ["x"], none: null, flag: true };
    const file = "profiles/profiles.json";

    const exported = await exportedOf({ [file]: { ...unknown, version: "3.0" } }, file);

    expect(exported).toMatchObject(unknown);
    expect(Object.keys(exported as object).sort()).toEqual(
      // The query in use is the one used last.
      [
        ...Object.keys(unknown),
        "version",
        "profiles",
        "active_profile_id",
        "active_query_id",
      ].sort(),
    );
  });

  it("has when a task began and was cancelled", async () => {
    const task = { task_name: "a", status: "in_progress", cancelled: true };
    const moments = { start_time: "2025-12-01T09:00:00", cancel_time: "2025-12-01T09:05:00" };
    const file = "task_progress.json";

    const exported = await exportedOf({ [file]: { ...task, ...moments } }, file);

    expect(exported).toMatchObject({ ...moments, updated_at: "2025-12-01T09:05:00.000Z" });
  });

  it("has as many histories as there were, each with all of its items", async () => {
    const [status, labels] = [
      { field: "status", fromString: "Open", toString: "Closed", to: "6" },
      { field: "labels", fromString: null, toString: "a" },
    ];
    const created = "2025-12-01T09:00:00.000Z";
    const histories = [
      { id: "1", created, items: [status, labels] },
      { id: "2", created, items: [status] },
      { created, author: { name: "a" }, items: [labels, labels] },
    ];
    const file = `${MAIN}/jira_changelog_cache.json`;

    const exported = await exportedOf({ [file]: { "A-1": { changelog: { histories } } } }, file);

    expect(exported).toMatchObject({ "A-1": { changelog: { histories, total: 3 } } });
  });
});

describe("a folder in the place of a file", () => {
  it.each([
    "profiles/profiles.json",
    "profiles/p_1/profile.json",
    `${MAIN}/query.json`,
    `${MAIN}/jira_cache.json`,
    `${MAIN}/project_data.json`,
    "task_progress.json",
    "cache/0123.json",
  ])("is named: %s", async (file) => {
    using folder = folderOf();
    rmSync(join(folder.path, file));
    mkdirSync(join(folder.path, file));

    const failed = await migrateFolder(folder.path).catch((error: unknown) => error);
    const { refused } = await migrateFolder(folder.path, { skipBad: true });

    expect(failed).toMatchObject({ code: "VALIDATION", fields: { file, line: 1 } });
    expect(String(failed)).toContain(`${file}, line 1: is a folder, not a file`);
    expect(refused).toEqual([{ file, line: 1, reason: "is a folder, not a file" }]);
  });
});
