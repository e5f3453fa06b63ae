import { existsSync, readdirSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import {
  type ConfiguredCacheOptions,
  createConfiguredCache,
} from "../../src/open/configured-cache.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { Project } from "./support.ts";

const COMMANDS = ["cache stats", "cache keys", "cache clear --dry-run", "cache clear --yes"];

const OPTIONS: ConfiguredCacheOptions = {
  categories: { week_data: {}, exports: { tiers: ["memory", "file"] } },
};

/** A project in which a program has run. */
async function used(): Promise<Project> {
  const project = await Project.make();
  const config = await loadConfig({ cwd: project.folder, env: {} });
  await using cache = await createConfiguredCache(config, OPTIONS);
  const weeks = cache.category("week_data");
  await weeks.set("week:7", { n: 7 }, { tags: ["weeks"] });
  await weeks.set("week:7:tasks", [1], { tags: ["weeks", "tasks"] });
  await weeks.set("week:70", { n: 70 });
  await cache.category("exports").set("all", "csv", { tags: ["tasks"] });
  await cache.set("plain", 1);
  return project;
}

async function keysOf(project: Project, words = ""): Promise<readonly string[]> {
  const { out } = await project.run(`cache keys --json ${words}`);
  const { keys } = JSON.parse(out) as {
    keys: { category: string; key: string; tiers: string[] }[];
  };
  return keys.map(({ category, key, tiers }) => `${category} ${key} ${tiers.join("+")}`).sort();
}

const ALL = [
  "default plain sqlite",
  "exports all file",
  "week_data week:7 sqlite",
  "week_data week:70 sqlite",
  "week_data week:7:tasks sqlite",
];

describe("the cache commands", () => {
  it.each(COMMANDS)("make no file where there is none: %s", async (line) => {
    await using project = await Project.make();

    const { code, err } = await project.run(line);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(existsSync(project.path("cache"))).toBe(false);
  });

  it.each([
    ["cache keys --prefix a", "Say which with --category"],
    ["cache keys --category c --prefix=", '--prefix: "" is no key'],
    ["cache clear --category c --prefix= --yes", "leave --prefix out"],
    ["cache clear --tag a --category b --yes", "Give --tag or --category"],
    ["cache keys --limit x", "It must be a whole number."],
    ["cache keys --limit 0", "Give a whole number from 1."],
    ["cache warm", "missing required argument 'module'"],
    ["cache", "Usage: springhouse cache"],
  ])("answer %j with exit code 2 and the reason", async (line, message) => {
    await using project = await Project.make();

    const { code, err } = await project.run(line);

    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

/** What may become of a file: nothing of it is sound, or its first page alone. */
async function damagesOf(path: string): Promise<readonly Buffer[]> {
  const whole = await readFile(path);
  const noise = Buffer.alloc(whole.length - 4_096, 170);
  return [noise, Buffer.concat([whole.subarray(0, 4_096), noise])];
}

describe("a look at a cache that cannot be used", () => {
  const LOOKS = ["cache stats", "cache keys", "cache clear --dry-run"];

  it.each(LOOKS)("says that its file is damaged, and leaves it: %s", async (line) => {
    await using project = await used();
    const path = project.path("cache/cache.db");
    for (const damaged of await damagesOf(path)) {
      await writeFile(path, damaged);

      const { code, err } = await project.run(line);

      expect(code).toBeGreaterThan(0);
      expect(err).toContain(path);
      expect(err).toContain("springhouse cache clear --yes");
      expect(err).not.toContain("backup");
      expect(await readFile(path)).toEqual(damaged);
      expect(readdirSync(project.path("cache")).join()).not.toContain("damaged");
    }
  });

  it("gives advice that helps: clear --yes sets a damaged file aside", async () => {
    await using project = await used();
    const path = project.path("cache/cache.db");
    for (const damaged of await damagesOf(path)) {
      await writeFile(path, damaged);

      expect((await project.run("cache clear --yes")).code).toBe(0);

      const aside = readdirSync(project.path("cache")).filter((name) => name.includes("damaged"));
      expect(aside).not.toEqual([]);
      for (const name of aside) rmSync(project.path(`cache/${name}`));
      expect((await project.run("cache stats")).code).toBe(0);
    }
  });

  it("says that its file is of another version, and leaves it", async () => {
    await using project = await used();
    project.sql("cache/cache.db", "PRAGMA user_version = 99");

    const { code, err } = await project.run("cache keys");

    expect(code).toBeGreaterThan(0);
    expect(err).toContain("another version");
    expect(readdirSync(project.path("cache")).join()).not.toContain("other-format");
  });

  it.each(LOOKS)("says that its folder is none: %s", async (line) => {
    await using project = await Project.make();
    await mkdir(project.path("cache"));
    await writeFile(project.path("cache/files"), "a file");

    const { code, err } = await project.run(line);

    expect(code).toBeGreaterThan(0);
    expect(err).toContain(`${project.path("cache/files")} is no folder`);
  });
});

describe("cache stats", () => {
  it("counts entries by tier and by category", async () => {
    await using project = await used();

    const { code, out } = await project.run("cache stats --json");

    const { ok, tiers, categories } = JSON.parse(out);
    expect([code, ok]).toEqual([0, true]);
    expect(tiers).toMatchObject([
      { name: "sqlite", path: project.path("cache/cache.db"), exists: true, entries: 4 },
      { name: "file", path: project.path("cache/files"), exists: true, entries: 1 },
    ]);
    expect(tiers[0].bytes).toBeGreaterThan(0);
    expect(categories).toHaveLength(3);
    expect(categories).toContainEqual({
      namespace: "cache",
      version: "1",
      category: "week_data",
      entries: { sqlite: 3 },
    });
  });

  it("counts what is alive alike by tier and by category", async () => {
    await using project = await used();
    const config = await loadConfig({ cwd: project.folder, env: {} });
    const clock = new FakeClock(Date.now() - 3_600_000);
    await using cache = await createConfiguredCache(config, { ...OPTIONS, clock });
    await cache.category("week_data").set("over", 1, { ttl: "1m" });
    await cache.category("exports").set("over", 1, { ttl: "1m" });
    await cache.close();

    const { out } = await project.run("cache stats --json");

    const { tiers, categories } = JSON.parse(out);
    expect(tiers).toMatchObject([{ entries: 4 }, { entries: 1 }]);
    expect(categories).toContainEqual(expect.objectContaining({ entries: { sqlite: 3 } }));
  });

  it("prints two tables", async () => {
    await using project = await used();

    const { out } = await project.run("cache stats");

    expect(out).toMatch(/^tier +entries +size +place\n/);
    expect(out).toMatch(/\nsqlite +4 /);
    expect(out).toMatch(/\ncache +1 +week_data +3 +0\n/);
  });
});

describe("cache keys", () => {
  it("lists the keys and where they are", async () => {
    await using project = await used();

    expect(await keysOf(project)).toEqual(ALL);
  });

  it.each([
    ["--category week_data", ALL.slice(2)],
    ["--category week_data --prefix week:7", [ALL[2], ALL[4]]],
    ["--tag tasks", [ALL[1], ALL[4]]],
    ["--namespace other", []],
    ["--category other", []],
  ])("lists only those that are meant: %s", async (words, expected) => {
    await using project = await used();

    expect(await keysOf(project, words)).toEqual(expected);
  });

  it("says when there are more than it lists", async () => {
    await using project = await used();

    const { out } = await project.run("cache keys --limit 2");

    expect(out.trim().split("\n")).toHaveLength(5);
    expect(out).toContain("There are more. Raise --limit, which is 2.");
  });

  it.each([
    ["cache keys", "No keys."],
    ["cache clear --yes", "Dropped 0 entries."],
  ])("names the categories there are when one is unknown: %s", async (line, answer) => {
    await using project = await used();

    const misspelt = await project.run(`${line} --category week_dat`);
    const json = await project.run(`${line} --category week_dat --json`);
    const empty = await project.run(`${line} --category week_data --prefix none`);

    expect(misspelt).toMatchObject({ code: 0, err: "" });
    expect(misspelt.out).toBe(
      `${answer}\nNothing is kept under "week_dat". ` +
        'Categories with entries: default, exports, week_data. Is "week_data" meant?\n',
    );
    expect(JSON.parse(json.out)).toMatchObject({ known: ["default", "exports", "week_data"] });
    expect(empty.out).toBe(`${answer}\n`);
  });
});

describe("cache clear", () => {
  it("only says what it would drop with --dry-run", async () => {
    await using project = await used();

    const { code, out } = await project.run("cache clear --category week_data --dry-run");

    expect(code).toBe(0);
    expect(out).toContain("This would drop 3 entries: 3 in ");
    expect(out).toContain("Nothing was done.");
    expect(await keysOf(project)).toEqual(ALL);
  });

  it.each([
    ["", []],
    ["--category week_data", [ALL[0], ALL[1]]],
    ["--category week_data --prefix week:7", [ALL[0], ALL[1], ALL[3]]],
    ["--tag tasks", [ALL[0], ALL[2], ALL[3]]],
    ["--namespace cache", []],
    ["--namespace other", ALL],
  ])("drops what is meant and nothing else: %s", async (words, left) => {
    await using project = await used();

    const { code, err } = await project.run(`cache clear --yes ${words}`);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(await keysOf(project)).toEqual(left);
  });

  it("asks first, and does nothing without a yes", async () => {
    await using project = await used();
    const questions: string[] = [];
    const answering = (answer: string) => ({
      ask: async (question: string) => {
        questions.push(question);
        return answer;
      },
    });

    const alone = await project.run("cache clear");
    const no = await project.run("cache clear", answering("n"));
    const before = await keysOf(project);
    const yes = await project.run("cache clear", answering("y"));

    expect(alone).toMatchObject({ code: 2, err: expect.stringContaining("Add --yes to agree.") });
    expect(no).toMatchObject({ code: 1, err: expect.stringContaining("Nothing was done.") });
    expect(before).toEqual(ALL);
    expect(yes.code).toBe(0);
    expect(questions[0]).toMatch(/^This drops 5 entries: 4 in .*, 1 in .*\. Go on\? \[y\/N\] $/);
    expect(await keysOf(project)).toEqual([]);
  });
});

describe("cache warm", () => {
  it.each([
    ["export const keys = [];", "it must export load"],
    ["export const load = () => [];", "it must export keys"],
    ["export const keys = []; export const load = () => []; export const categry = 1;", "meant?"],
    ["export const keys = [", "cannot be used"],
  ])("refuses a module that it cannot use: %s", async (text, message) => {
    await using project = await Project.make({ "warm.mjs": text });

    const { code, err } = await project.run("cache warm ./warm.mjs");

    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it("refuses to warm what nothing outlasts", async () => {
    const cache = { sqlite: { enabled: false }, files: { enabled: false } };
    await using project = await Project.make({
      "warm.mjs": "export const keys = ['a']; export const load = (keys) => keys;",
      "springhouse.config.json": JSON.stringify({ cache }),
    });

    const { code, err } = await project.run("cache warm ./warm.mjs");

    expect(code).toBe(2);
    expect(err).toContain("No tier of the configuration outlasts a process");
  });
});

const WARM = `
  export const category = "week_data";
  export const cache = { categories: { week_data: { ttl: "2h" } } };
  export const options = { tags: ["warmed"] };
  export const keys = async () => Array.from({ length: 25 }, (_, n) => ["week", n]);
  export const load = (keys) => keys.map((key) => {
    if (key === process.env.FAILING_KEY) return new Error("no " + key);
    return { key };
  });
`;

describe("cache warm with a module", () => {
  it("loads what the module says, shows how far it is, and a program finds it", async () => {
    await using project = await Project.make({ "warm.mjs": WARM });

    const run = await project.run("cache warm ./warm.mjs --batch-size 10", {
      progressColumns: 100,
    });

    expect(run.code).toBe(0);
    expect(run.out).toBe("Warmed 25 keys of 25.\n");
    expect(run.err).toContain("25/25 keys");
    expect(await keysOf(project, "--tag warmed")).toHaveLength(25);
    const config = await loadConfig({ cwd: project.folder, env: {} });
    await using cache = await createConfiguredCache(config, { categories: { week_data: {} } });
    expect(await cache.category("week_data").lookup("week:3")).toMatchObject({
      value: { key: "week:3" },
      source: "sqlite",
    });
  });

  it("counts no key as warmed that nothing was kept of", async () => {
    await using project = await Project.make();
    const warm = WARM.replace("return { key };", "return key > 'week:2' ? { key } : undefined;");
    await writeFile(project.path("warm.mjs"), warm);

    const { code, out } = await project.run("cache warm ./warm.mjs");

    const kept = await keysOf(project);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Warmed ${kept.length} keys of 25\\.\\nnot kept: .*week:0`));
    const { out: json } = await project.run("cache warm ./warm.mjs --json");
    expect(JSON.parse(json)).toMatchObject({
      warmed: kept.length,
      missing: { length: 25 - kept.length },
    });
  });

  it("says which loads failed, and keeps the others", async () => {
    await using project = await Project.make();
    await writeFile(project.path("warm.mjs"), WARM.replace("process.env.FAILING_KEY", '"week:3"'));

    const { code, out } = await project.run("cache warm ./warm.mjs --json --batch-size 5");

    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, keys: 25, warmed: 24, missing: [] });
    expect(JSON.parse(out).failures[0].message).toBe("no week:3");
    expect(await keysOf(project)).toHaveLength(24);
  });
});
