import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { exportFolder } from "../../../examples/burndown/export.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { folderOf, MAIN, migratedOf } from "./old-folder.ts";
import { NOW, temporaryFolder } from "./support.ts";

const LONG = "9007199254740993";

/** An answer of JIRA whose issue has a number. */
function answerWith(number: string): string {
  return `{"timestamp": "${NOW}", "issues": [\n{"key": "A-1", "fields": {"rank": ${number}}}]}`;
}

describe("a whole number beyond 2^53", () => {
  it("is kept to the digit in an issue, through to the export", async () => {
    using folder = folderOf({ [`${MAIN}/jira_cache.json`]: answerWith(LONG) });
    using target = temporaryFolder();

    await migrateFolder(folder.path);

    const backend = await openSqliteBackend(databasePath(folder.path));
    const caches = await backend.caches.list("p_1", "main");
    await exportFolder(backend, target.path);
    await backend.close();
    expect(caches).toMatchObject([{ response: { issues: [{ fields: { rank: BigInt(LONG) } }] } }]);
    expect(await openJsonBackend(folder.path).caches.list("p_1", "main")).toEqual(caches);
    const exported = readFileSync(join(target.path, MAIN, "jira_cache.json"), "utf8");
    expect(exported).toContain(`"rank": ${LONG}\n`);
  });

  it.each([
    ["profiles/p_1/profile.json", `{\n"jira_config": {"x": ${LONG}}}`, "jira_config.x"],
    ["profiles/profiles.json", `{\n"last": [${LONG}]}`, "last.0"],
    [`${MAIN}/query.json`, `{"jql": "x",\n"x": ${LONG}}`, "x"],
    [`${MAIN}/project_data.json`, `\n{"project_scope": {"total_items": ${LONG}}}`, "total_items"],
    [`${MAIN}/metrics_snapshots.json`, `\n{"2025-44": {"lead": {"value": ${LONG}}}}`, "value"],
    [
      `${MAIN}/jira_changelog_cache.json`,
      `{\n"A-1": {"changelog": {"histories": [{"id": ${LONG}, "created": "${NOW}"}]}}}`,
      "changelog.histories.0.id",
    ],
    ["task_progress.json", `{"task_name": "a",\n"step": ${LONG}}`, "step"],
    ["cache/0123.json", `{\n"data": {"total": ${LONG}}}`, "data.total"],
  ])("is refused in %s, with the file, the line and the path", async (file, content, path) => {
    using folder = folderOf({ [file]: content });

    const failed = await migrateFolder(folder.path).catch((error: unknown) => error);

    expect(failed).toMatchObject({ code: "VALIDATION", fields: { file, line: 2 } });
    expect(String(failed)).toContain(`${path} is a number that would be rounded`);
  });

  it("is left out with its file when that is wanted, and the rest is taken over", async () => {
    using folder = folderOf({
      [`${MAIN}/metrics_snapshots.json`]: `{"2025-44": {"lead": {"value": ${LONG}}}}`,
      "profiles/p_1/profile.json": `{"name": "Team", "x": ${LONG}, "y": 1}`,
    });

    const { refused } = await migrateFolder(folder.path, { skipBad: true });

    expect(refused.map(({ file }) => file)).toEqual([
      "profiles/p_1/profile.json",
      `${MAIN}/metrics_snapshots.json`,
    ]);
    expect(await migratedOf(folder.path)).toMatchObject({
      profiles: [{ extras: { x: null, y: 1 } }],
      points: [],
    });
  });
});

describe("a number that is too large for JavaScript", () => {
  it("is refused in an issue too, by the migration and by the files themselves", async () => {
    using folder = folderOf({ [`${MAIN}/jira_cache.json`]: answerWith("1e400") });

    await expect(migrateFolder(folder.path)).rejects.toThrow("fields.rank");
    await expect(openJsonBackend(folder.path).caches.list("p_1", "main")).rejects.toThrow(
      `${MAIN}/jira_cache.json, line 2: has the number 1e400, which is too large`,
    );
  });
});
