import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  currentBackend,
  getProfile,
  saveProfile,
  saveQuery,
  setBackend,
  switchTo,
  tasksAt,
} from "../../../examples/burndown/application.ts";
import type { PersistenceBackend } from "../../../examples/burndown/backend/backend.ts";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { isMigrated } from "../../../examples/burndown/migrate/migrate.ts";
import type { Profile } from "../../../examples/burndown/model.ts";
import { openFolder } from "../../../examples/burndown/open.ts";
import { keepTokens, tokenOf } from "../../../examples/burndown/secrets.ts";
import { readSettings } from "../../../examples/burndown/settings.ts";
import { NOW, profile, query, temporaryFolder, writeFiles } from "./support.ts";

/** A backend that knows one profile and nothing else. */
function fakeBackend(known?: Profile): PersistenceBackend {
  const profiles = { get: async (id: string) => (id === known?.id ? known : undefined) };
  return { profiles } as unknown as PersistenceBackend;
}

const source = (saved: Profile): { toProfile(): Profile } => ({ toProfile: () => saved });

afterEach(() => setBackend(undefined));

describe("the application", () => {
  it("gives a profile of whatever backend was set, and says which is not there", async () => {
    setBackend(fakeBackend(profile("a")));

    expect(await getProfile("a")).toEqual(profile("a"));
    await expect(getProfile("xyz")).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "Profile 'xyz' not found",
    });
  });

  it("says that no backend was set", () => {
    expect(() => currentBackend()).toThrow("Call setBackend() first");
  });

  it("saves a profile into a real database and reads it back", async () => {
    using folder = temporaryFolder();
    const backend = await openSqliteBackend(join(folder.path, "burndown.db"));
    setBackend(backend);

    await saveProfile(source(profile("test", { name: "Test Profile" })));

    expect(await getProfile("test")).toMatchObject({ name: "Test Profile", showPoints: true });
    await backend.close();
  });

  it("has no more than 50 profiles, and no more than 100 queries in one", async () => {
    using folder = temporaryFolder();
    const backend = openJsonBackend(folder.path);
    setBackend(backend);
    await backend.withTransaction(async ({ profiles, queries }) => {
      for (let number = 0; number < 50; number++) await profiles.save(profile(`p${number}`));
      for (let number = 0; number < 100; number++) await queries.save(query("p0", `q${number}`));
    });

    const onceMore = saveProfile(source(profile("p50")));
    await expect(onceMore).rejects.toThrow("There are 50 profiles, and no more may be.");
    await expect(saveQuery(query("p0", "q100"))).rejects.toThrow('100 queries of "p0"');
    await saveProfile(source(profile("p0", { description: "changed" })));
    expect(await getProfile("p0")).toMatchObject({ description: "changed" });
  });

  it("switches to the query that was used last when none is named", async () => {
    using folder = temporaryFolder();
    const backend = openJsonBackend(folder.path);
    setBackend(backend);
    await backend.profiles.save(profile("a"));
    await backend.queries.save(query("a", "x", { lastUsed: "2025-01-01T00:00:00.000Z" }));
    await backend.queries.save(query("a", "y"));

    await switchTo("a", undefined, NOW);

    expect(await backend.state.selection()).toEqual({ profileId: "a", queryId: "y" });
    await expect(switchTo("gone", undefined, NOW)).rejects.toThrow("Profile 'gone' not found");
  });

  it("tells of a task that has died", async () => {
    using folder = temporaryFolder();
    writeFiles(folder.path, {
      "task_progress.json": { task_name: "a", status: "in_progress", start_time: NOW },
    });
    setBackend(openJsonBackend(folder.path));

    expect(await tasksAt("2025-12-23T11:00:00.000Z")).toMatchObject([{ status: "failed" }]);
  });
});

describe("the backend of a folder", () => {
  it("is chosen by the command, the environment, the file, and is the database otherwise", () => {
    using folder = temporaryFolder();
    const config = { backend: "move", stages: { profiles: "reversed" } };
    writeFiles(folder.path, { "burndown.config.json": config });

    expect(readSettings(folder.path, undefined, {})).toEqual(config);
    const environment = { BURNDOWN_BACKEND: "json" };
    expect(readSettings(folder.path, undefined, environment).backend).toBe("json");
    expect(readSettings(folder.path, "sqlite", environment).backend).toBe("sqlite");
    expect(readSettings(join(folder.path, "other"), undefined, {}).backend).toBe("sqlite");
  });

  it.each([
    [{ backend: "oracle" }, "which is none of sqlite, json, move"],
    [{ backends: "json" }, '"backends" is no setting'],
    [{ stages: [] }, '"stages" is no object'],
    ["{", "no JSON object"],
  ])("is refused when the settings are wrong: %j", (config, message) => {
    using folder = temporaryFolder();
    writeFiles(folder.path, { "burndown.config.json": config });

    expect(() => readSettings(folder.path, undefined, {})).toThrow(message);
  });

  it("takes the old files over when it is opened first, and never again", async () => {
    using folder = temporaryFolder();
    writeFiles(folder.path, { "profiles/a/profile.json": { name: "A" } });
    const settings = { backend: "sqlite", stages: {} } as const;
    const told: string[] = [];
    const onMigrated = ({ status }: { readonly status: string }): void => void told.push(status);

    const first = await openFolder(folder.path, settings, { onMigrated });
    const names = (await first.profiles.list()).map(({ name }) => name);
    await first.close();
    const second = await openFolder(folder.path, settings, { onMigrated });
    await second.close();

    expect([names, told]).toEqual([["A"], ["migrated"]]);
  });

  it("is a new database where there is nothing to take over", async () => {
    using folder = temporaryFolder();
    const settings = { backend: "sqlite", stages: {} } as const;

    const backend = await openFolder(folder.path, settings);
    await backend.close();

    expect(await isMigrated(folder.path)).toBe(true);
  });
});

describe("a token", () => {
  it("is taken from the environment, else from its file, which keeps what it has", () => {
    using folder = temporaryFolder();

    keepTokens(folder.path, new Map([["team-a", "first"]]));
    keepTokens(
      folder.path,
      new Map([
        ["team-a", "second"],
        ["b", "other"],
      ]),
    );

    expect(tokenOf(folder.path, "team-a", {})).toBe("first");
    expect(tokenOf(folder.path, "b", {})).toBe("other");
    expect(tokenOf(folder.path, "team-a", { BURNDOWN_TOKEN_TEAM_A: "env" })).toBe("env");
    expect(tokenOf(folder.path, "nobody", {})).toBeUndefined();
  });
});
