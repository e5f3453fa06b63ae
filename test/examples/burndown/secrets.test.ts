import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { exportFolder } from "../../../examples/burndown/export.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { folderOf, ISSUE, MAIN, migratedOf } from "./old-folder.ts";
import { NOW, temporaryFolder } from "./support.ts";

describe("a migration", () => {
  it("lets no other secret through to the database or an export either, and names it", async () => {
    using folder = folderOf({
      "profiles/profiles.json": { "proxy-password": "s3cret-0", profiles: {} },
      "profiles/p_1/profile.json": {
        name: "Team",
        headers: { Authorization: "Bearer s3cret-1" },
        jira_config: {
          Authorization: "Bearer s3cret-2",
          base_url: "https://u:s3cret-3@j/?token=s3cret-4&a=1",
          credentials: { user: "u", value: "s3cret-5" },
          token: "s3cret-token",
          mirror: "https://j:8443/users/@me?name=a@b",
          uses_token: true,
        },
      },
      [`${MAIN}/query.json`]: { name: "All", jql: "x", links: ["https://j?api_key=s3cret-6"] },
      [`${MAIN}/jira_cache.json`]: {
        timestamp: NOW,
        jql_query: "x",
        request: { cookie: "s3cret-7" },
        issues: [ISSUE],
      },
      "task_progress.json": { task_name: "Update", message: "GET https://u:s3cret-8@j failed" },
    });
    using target = temporaryFolder();

    const { notes, tokens } = await migrateFolder(folder.path);

    const backend = await openSqliteBackend(databasePath(folder.path));
    await exportFolder(backend, target.path);
    await backend.close();
    const exported = readdirSync(target.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of [databasePath(folder.path), ...exported]) {
      expect([file, /s3cret-\w+/.exec(readFileSync(file, "latin1"))?.[0]]).toEqual([
        file,
        undefined,
      ]);
    }
    expect(await migratedOf(folder.path)).toMatchObject({
      profiles: [
        {
          jiraConfig: {
            base_url: "https://u:***@j/?token=***&a=1",
            mirror: "https://j:8443/users/@me?name=a@b",
            uses_token: true,
          },
        },
      ],
    });
    expect(tokens).toEqual(["p_1"]);
    expect(readFileSync(join(folder.path, "secrets.json"), "utf8")).toContain('"s3cret-token"');
    expect(notes).toEqual([
      'Secrets of profile "p_1" are left out or masked: headers.Authorization, ' +
        "jira_config.Authorization, jira_config.base_url, jira_config.credentials",
    ]);
  });
});
