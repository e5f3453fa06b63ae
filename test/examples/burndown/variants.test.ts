/** Odd forms of the old files, of which the migration and the files themselves say the same. */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { everythingOf, folderOf, MAIN, migratedOf } from "./old-folder.ts";

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
