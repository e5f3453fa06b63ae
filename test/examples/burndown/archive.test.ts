/** The real issues of the archive, which is not part of the repository. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { checkIntegrity } from "../../../examples/burndown/database.ts";
import { weeksOfIssues, weeksOfProject } from "../../../examples/burndown/figures.ts";
import { generateFolder } from "../../../examples/burndown/generate/folder.ts";
import {
  archivedIssues,
  hasArchive,
  PROJECTS,
} from "../../../examples/burndown/generate/issues.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { temporaryFolder } from "./support.ts";

const DATA = join(import.meta.dirname, "../../../../shared/data/jira");
const HAS_DATA = hasArchive(DATA);
/** 12,562 in all. */
const SIZES: Readonly<Record<string, number>> = {
  ALOY: 1_499,
  DAEMON: 317,
  MOD: 367,
  TIMOB: 10_379,
};
/** Making the folder and migrating it takes a few seconds on an idle machine. */
const ALL_MS_MAX = 120_000;

describe.skipIf(!HAS_DATA && !process.env["CI"])("the real archive", () => {
  it("is migrated whole: what the database gives is what the old files say", async () => {
    using folder = temporaryFolder();
    await build(folder.path, ["ALOY"]);

    const report = await migrateFolder(folder.path);

    expect(report).toMatchObject({ status: "migrated", refused: [], notes: [] });
    expect(report.tables["jira_issues"]).toBe(SIZES["ALOY"]);
    const [old, next] = [
      openJsonBackend(folder.path),
      await openSqliteBackend(databasePath(folder.path)),
    ];
    for (const backend of [old, next]) expect(await backend.profiles.list()).toHaveLength(1);
    expect(await next.caches.list("aloy", "main")).toEqual(await old.caches.list("aloy", "main"));
    expect(await next.changelogs.list("aloy", "main")).toEqual(
      await old.changelogs.list("aloy", "main"),
    );
    expect(await next.projects.get("aloy", "main")).toEqual(await old.projects.get("aloy", "main"));
    expect(await checkIntegrity(next.database)).toEqual([]);
    await next.close();
  });

  it(
    "is one profile for each project, with figures that agree with what was written down",
    async () => {
      using folder = temporaryFolder();
      await build(folder.path, PROJECTS);

      const report = await migrateFolder(folder.path);

      expect(report.refused).toEqual([]);

      const backend = await openSqliteBackend(databasePath(folder.path));
      for (const project of PROJECTS) {
        const id = project.toLowerCase();
        const weeks = weeksOfIssues(await backend.caches.issues(id, "main"));
        const written = await backend.projects.get(id, "main");
        expect(weeks.reduce((sum, week) => sum + week.createdItems, 0)).toBe(SIZES[project]);
        expect(written && weeksOfProject(written)).toEqual(weeks);
      }
      await backend.close();
      expect(readdirSync(join(folder.path, "backups"))).toHaveLength(1);
    },
    ALL_MS_MAX,
  );
});

function build(root: string, projects: readonly string[]): Promise<number> {
  return generateFolder(
    root,
    projects.map((name) => ({
      id: name.toLowerCase(),
      name,
      jql: `project = ${name}`,
      issues: archivedIssues(DATA, name),
    })),
  );
}
