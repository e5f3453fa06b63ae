import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { checkIntegrity } from "../../../examples/burndown/database.ts";
import { generateFolder } from "../../../examples/burndown/generate/folder.ts";
import { madeIssues } from "../../../examples/burndown/generate/issues.ts";
import { recoverFiles } from "../../../examples/burndown/legacy/file-transaction.ts";
import { migrateFolder } from "../../../examples/burndown/migrate/migrate.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { temporaryFolder, writeFiles } from "./support.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CLI = join(ROOT, "examples/burndown/cli.ts");
const ISSUES = 1_000;

const original = temporaryFolder();

beforeAll(async () => {
  const project = { id: "made", name: "Made", jql: "project = MADE", token: "s3cret" };
  await generateFolder(original.path, [{ ...project, issues: madeIssues("MADE", 1, ISSUES) }]);
  return () => original[Symbol.dispose]();
});

/** Migrates in a process that is killed as soon as its messages match. */
async function killAt(root: string, message: RegExp): Promise<void> {
  const parameters = ["--conditions=springhouse-source", CLI, "--root", root, "migrate"];
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "ignore", "pipe"] });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk;
    if (message.test(told)) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "exit");
  expect({ code, signal, told }).toMatchObject({ code: null, signal: "SIGKILL" });
}

describe("a migration that is killed", () => {
  it.each([
    ["when it begins", /Migrating/],
    ["half-way", /(?: of [\s\S]*?){5}/],
    ["when everything is read", /: ([\d,]+) of \1\n/],
  ])("%s is done by the next one, whole", async (_, message) => {
    using folder = temporaryFolder();
    cpSync(original.path, folder.path, { recursive: true, preserveTimestamps: true });

    await killAt(folder.path, message);
    const isThere = existsSync(databasePath(folder.path));
    const report = await migrateFolder(folder.path);

    expect(isThere).toBe(false);
    expect(report).toMatchObject({ status: "migrated", refused: [] });
    expect(report.tables).toMatchObject({ jira_issues: ISSUES, jira_changelogs: ISSUES });
    const backend = await openSqliteBackend(databasePath(folder.path));
    expect(await checkIntegrity(backend.database)).toEqual([]);
    expect(await backend.caches.issues("made", "main")).toHaveLength(ISSUES);
    await backend.close();
    const left = readdirSync(join(folder.path, "profiles")).sort();
    expect(left).toEqual(["burndown.db", "made", "profiles.json"]);
  });
});

describe("a change of several files whose process was killed", () => {
  it("is done to the end when it was committed", () => {
    using folder = temporaryFolder();
    writeFiles(folder.path, {
      "profiles/a/profile.json": { name: "old" },
      "profiles/b/profile.json": { name: "gone" },
      "profiles/profiles%a%profile.json.tmp": { name: "new" },
      "profiles/transaction.json": {
        written: ["profiles/a/profile.json"],
        removed: ["profiles/b"],
      },
    });

    recoverFiles(folder.path);
    recoverFiles(folder.path);

    const files = readdirSync(folder.path, { recursive: true }).map(String).sort();
    expect(files).toEqual(["profiles", "profiles/a", "profiles/a/profile.json"]);
  });
});
