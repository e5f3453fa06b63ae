/** Files that are damaged, removed, full, of another format, or of somebody else. */

import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { noise } from "../../../src/testing/tier/context.ts";
import { warnings } from "../../sqlite/fake-threads.ts";
import {
  drift,
  entries,
  entry,
  listed,
  openTier,
  query,
  temporaryPath,
  valuesOf,
} from "./support.ts";

const PAGE = 4_096;

describe("a cache file", () => {
  it("is made at the first use with its folder, for its owner only", async () => {
    const path = join(dirname(temporaryPath()), "new/folder/cache.db");
    const tier = openTier({ path });
    expect(existsSync(path)).toBe(false);

    await tier.ready();
    await tier.setMany([entry("a")]);

    const modes = readdirSync(dirname(path)).map((name) => {
      return statSync(join(dirname(path), name)).mode & 0o777;
    });
    expect(modes.length).toBeGreaterThanOrEqual(2);
    expect(new Set(modes)).toEqual(new Set([0o600]));
  });

  it("keeps counts of hits and renewed lives through a restart", async () => {
    const path = temporaryPath();
    const first = openTier({ path });
    const nowMs = Date.now();
    const sliding = {
      slidingMs: 60_000,
      freshUntilMs: nowMs + 30_000,
      keepUntilMs: nowMs + 30_000,
    };
    await first.setMany([entry("a"), entry("b", sliding)]);
    for (let hit = 0; hit < 3; hit++) await first.getMany(["a", "b"]);
    expect(query(path, "SELECT sum(access_count) AS hits FROM cache_entries")).toEqual([
      { hits: 0 },
    ]);
    await first.close();

    const again = openTier({ path });
    const [, b] = await again.getMany(["a", "b"]);

    expect(b?.freshUntilMs).toBeGreaterThan(nowMs + 50_000);
    expect(query(path, "SELECT access_count AS hits FROM cache_entries ORDER BY key")).toEqual([
      { hits: 3 },
      { hits: 3 },
    ]);
  });

  it("that is damaged while it is in use is set aside and made anew, and nobody sees an error", async () => {
    const path = temporaryPath();
    const seen = warnings();
    const before = openTier({ path, compression: "none" });
    const all = entries(3_000).map((each, index) => ({ ...each, value: noise(1_000, index) }));
    await before.setMany(all);
    await before.close();
    const tier = openTier({ path, compression: "none" });
    expect(await valuesOf(tier, ["key 0"])).toEqual([noise(1_000, 0)]);
    garble(path, 2, statSync(path).size / PAGE);

    const keys = all.map(({ key }) => key);
    const answers = await Promise.all([
      tier.getMany(keys),
      tier.getMany(keys.slice(1_000)),
      tier.lookMany(keys),
    ]);

    expect(answers.map(({ length }) => length)).toEqual([3_000, 2_000, 3_000]);
    expect(tier.statistics().errors).toBeGreaterThan(0);
    expect(await tier.setMany([entry("a")])).toEqual(["stored"]);
    expect(await listed(tier)).toEqual(["a"]);
    expect(readdirSync(dirname(path)).filter((name) => name.includes(".damaged-"))).not.toEqual([]);
    expect(seen.filter((each) => each.startsWith("DATABASE_REMADE")).length).toBe(1);
  });

  it("that is no database is set aside when it is opened", async () => {
    const path = temporaryPath();
    const seen = warnings();
    writeFileSync(path, noise(10_000, 1));
    const tier = openTier({ path });

    expect(await valuesOf(tier, ["a"])).toEqual([undefined]);
    expect(seen.length).toBe(1);
  });

  it("whose folder is removed while it is in use is made again", async () => {
    const path = join(dirname(temporaryPath()), "folder/cache.db");
    const tier = openTier({ path });
    await tier.setMany([entry("a")]);
    rmSync(dirname(path), { recursive: true });

    expect(await tier.setMany([entry("b")])).toEqual(["stored"]);

    expect(await valuesOf(tier, ["a", "b"])).toEqual([undefined, "value of b"]);
    expect(existsSync(path)).toBe(true);
    expect(await listed(tier)).toEqual(["b"]);
  });

  it("that cannot be opened is tried again by the next call", async () => {
    const folder = dirname(temporaryPath());
    const path = join(folder, "place/cache.db");
    writeFileSync(join(folder, "place"), "a file is in the way");
    const tier = openTier({ path });
    await expect(tier.getMany(["a"])).rejects.toThrow(/EEXIST|ENOTDIR|not a directory/);
    expect(tier.statistics().errors).toBe(1);
    rmSync(join(folder, "place"));

    expect(await tier.setMany([entry("a")])).toEqual(["stored"]);
  });
});

describe("a row", () => {
  it("whose value cannot be decoded is a miss, and is removed", async () => {
    const tier = openTier();
    await tier.setMany(entries(3));
    query(tier.path, "UPDATE cache_entries SET codec = 'json+rot13' WHERE key = 'key 1'");

    expect(await valuesOf(tier, ["key 0", "key 1", "key 2"])).toEqual([
      "value of key 0",
      undefined,
      "value of key 2",
    ]);
    expect(await listed(tier)).toEqual(["key 0", "key 2"]);
    expect(tier.statistics()).toMatchObject({ errors: 1, misses: 1, hits: 2 });
  });

  it("whose parts are gone is a miss, and is removed", async () => {
    const tier = openTier({ compression: "none" });
    await tier.setMany([entry("a", { value: noise(600_000, 1) }), entry("b")]);
    query(tier.path, "DELETE FROM cache_parts WHERE id % 4096 = 1");

    expect(await valuesOf(tier, ["a", "b"])).toEqual([undefined, "value of b"]);
    expect(await listed(tier)).toEqual(["b"]);
    expect(drift(tier.path)).toEqual([]);
  });
});

describe("a file of another format", () => {
  it.each([
    ["newer", "PRAGMA user_version = 99"],
    ["older", "PRAGMA user_version = 0"],
    ["unknown", "PRAGMA application_id = 1"],
  ])("that is %s is set aside unread, and made anew", async (_, change) => {
    const path = temporaryPath();
    const before = openTier({ path });
    await before.setMany([entry("a")]);
    await before.close();
    query(path, change);
    const tier = openTier({ path });

    expect(await valuesOf(tier, ["a"])).toEqual([undefined]);

    expect(await tier.setMany([entry("a")])).toEqual(["stored"]);
    const names = readdirSync(dirname(path)).filter((name) => name.includes(".other-format-"));
    expect(names.length).toBe(1);
  });

  it("that somebody wrote by hand is set aside", async () => {
    const path = temporaryPath();
    const seed = `CREATE TABLE cache_entries (key TEXT PRIMARY KEY, value BLOB, category TEXT,
      created_at REAL, expires_at REAL, access_count INTEGER DEFAULT 0, size_bytes INTEGER,
      compressed BOOLEAN DEFAULT 0) WITHOUT ROWID`;
    query(path, seed);
    const tier = openTier({ path });

    expect(await tier.setMany([entry("a")])).toEqual(["stored"]);
  });

  it("that is no cache at all is refused, and left as it is", async () => {
    const path = temporaryPath();
    query(path, "CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    const bytes = readFileSync(path);
    const tier = openTier({ path });

    await expect(tier.setMany([entry("a")])).rejects.toMatchObject({ code: "UNOPENABLE" });

    expect(query(path, "SELECT name FROM sqlite_schema")).toEqual([{ name: "orders" }]);
    expect(statSync(path).size).toBe(bytes.byteLength);
  });

  it("that another version puts in the place of a file in use is not set aside", async () => {
    const path = temporaryPath();
    const tier = openTier({ path });
    await tier.setMany([entry("a")]);
    const newer = `${path}.newer`;
    const database = new DatabaseSync(newer);
    database.exec("CREATE TABLE cache_things (id INTEGER); PRAGMA user_version = 99");
    database.close();
    renameSync(newer, path);

    await expect(tier.setMany([entry("b")])).rejects.toMatchObject({ code: "UNOPENABLE" });

    expect(query(path, "PRAGMA user_version")).toEqual([{ user_version: 99 }]);
  });
});

describe("a full disk", () => {
  const folder = mountSmall();

  it.skipIf(folder === undefined)(
    "refuses with DISK_FULL, damages nothing, and goes on when there is room",
    async () => {
      const path = join(folder ?? "", "cache.db");
      const other = join(folder ?? "", "other");
      writeFileSync(other, new Uint8Array(2_600_000));
      const tier = openTier({ path, compression: "none" });
      await tier.setMany([entry("a")]);

      const failures: unknown[] = [];
      for (let index = 0; index < 12 && failures.length === 0; index++) {
        const large = entry(`large ${index}`, { value: noise(500_000, index) });
        await tier.setMany([large]).catch((error: unknown) => failures.push(error));
      }

      expect(failures).toMatchObject([{ code: "DISK_FULL" }]);
      expect(await valuesOf(tier, ["a", "large 0"])).toEqual(["value of a", noise(500_000, 0)]);
      expect(tier.statistics().errors).toBe(1);
      rmSync(other);
      expect(await tier.setMany([entry("b")])).toEqual(["stored"]);
      await tier.close();
      expect(query(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
      expect(drift(path)).toEqual([]);
    },
  );
});

describe("a full disk without room for a drop", () => {
  const folder = mountSmall();

  it.skipIf(folder === undefined).each(["dropMany", "dropTags", "dropPrefix", "clear"] as const)(
    "costs the file and brings nothing back: %s",
    async (how) => {
      const path = join(folder ?? "", "cache.db");
      const other = join(folder ?? "", "other");
      const first = openTier({ path });
      await first.setMany([entry("a", { tags: ["t"] })]);
      await first.close();
      const tier = openTier({ path });
      const told = warnings();
      await valuesOf(tier, ["a"]);
      fillUp(other);

      if (how === "dropMany") await tier.dropMany(["a"]);
      else if (how === "dropTags") await tier.dropTags(["t"]);
      else if (how === "dropPrefix") await tier.dropPrefix("");
      else await tier.clear();

      rmSync(other);
      await tier.close();
      const next = openTier({ path });
      expect(await valuesOf(next, ["a"])).toEqual([undefined]);
      expect(await next.setMany([entry("b")])).toEqual(["stored"]);
      await next.close();
      expect(told.join()).toContain("CACHE_DISCARDED");
      rmSync(path);
    },
  );
});

/** Writes until there is no room left. */
function fillUp(path: string): void {
  try {
    writeFileSync(path, new Uint8Array(8_000_000));
  } catch {
    // That is what was wanted.
  }
}

/** Overwrites pages of a file. */
function garble(path: string, fromPage: number, pages: number): void {
  const file = openSync(path, "r+");
  const bytes = Buffer.from(noise(PAGE, 7));
  for (let page = fromPage - 1; page < pages; page++) writeSync(file, bytes, 0, PAGE, page * PAGE);
  closeSync(file);
}

/** A file system of 4 MB; only root can make one. */
function mountSmall(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  afterAll(() => {
    execFileSync("umount", ["-l", folder], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
