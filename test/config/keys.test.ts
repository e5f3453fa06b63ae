/** Every key of the table is changed in every way it can be, and the configuration must follow. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { KeyFacts } from "../../src/config/keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ALL_KEYS } from "../../src/config/names.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "springhouse-keys-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A value other than the default: as data, as text, and as what it is resolved to. */
function sample(facts: KeyFacts): { written: unknown; text: string; resolved: unknown } {
  switch (facts.type) {
    case "boolean": {
      const other = facts.default !== true;
      return { written: other, text: String(other), resolved: other };
    }
    case "bytes":
      return { written: "7KB", text: "7KB", resolved: 7_168 };
    case "choice": {
      const other = facts.values?.find((value) => value !== facts.default) ?? "WAL";
      return { written: other, text: other, resolved: other };
    }
    case "count":
      return { written: 17, text: "17", resolved: 17 };
    case "duration":
      return { written: "7s", text: "7s", resolved: 7_000 };
    case "durations":
      return { written: { a: "1s", b: 5 }, text: "a=1s, b=5ms", resolved: { a: 1_000, b: 5 } };
    case "list":
      return { written: ["a", "b"], text: "a, b", resolved: ["a", "b"] };
    case "path":
      return { written: "other", text: "other", resolved: join(folder, "other") };
    case "schedule":
      return { written: "5 4 * * 1", text: "5 4 * * 1", resolved: "5 4 * * 1" };
    case "secret":
      return { written: "a secret", text: "a secret", resolved: "a secret" };
    case "timeZone":
      return { written: "Asia/Seoul", text: "Asia/Seoul", resolved: "Asia/Seoul" };
    case "url": {
      const url = `${facts.schemes?.at(-1)}://host/name`;
      return { written: url, text: url, resolved: url };
    }
  }
}

function nested(path: string, value: unknown): object {
  return path
    .split(".")
    .reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object;
}

function valueAt(config: Config, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, part) => (inner as Record<string, unknown>)[part], config);
}

/** Keys with one possible value cannot be changed, only refused. */
const changeable = ALL_KEYS.filter(
  ({ facts }) => facts.values?.length !== 1 && facts.fixed === undefined,
);

async function loadJson(content: object): Promise<Config> {
  const file = join(folder, "case.json");
  await writeFile(file, JSON.stringify(content));
  return loadConfig({ file, cwd: folder, env: {} });
}

describe("each key", () => {
  const inFiles = changeable.filter(({ facts }) => facts.type !== "secret");
  it.each(inFiles)("$name is changed by a file", async ({ name, facts }) => {
    const before = valueAt(await loadConfig({ cwd: folder, env: {} }), name);

    const config = await loadJson(nested(name, sample(facts).written));

    expect(valueAt(config, name)).toEqual(sample(facts).resolved);
    expect(valueAt(config, name)).not.toEqual(before);
  });

  it.each(changeable)("$name is changed by $variable", async ({ name, variable, facts }) => {
    const { text, resolved } = sample(facts);

    const config = await loadConfig({ cwd: folder, env: { [variable]: text } });

    expect(valueAt(config, name)).toEqual(resolved);
  });

  it.each(ALL_KEYS)("$name refuses a value of another kind, naming its place", async (key) => {
    const wrong = key.facts.type === "list" ? 5 : [];

    await expect(loadJson(nested(key.name, wrong))).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining(`case.json: ${key.name}: `),
    });
  });

  const notText = new Set(["path", "list", "secret"]);
  it.each(ALL_KEYS.filter(({ facts }) => !notText.has(facts.type) && facts.orFolder !== true))(
    "$variable refuses a text that is no value, naming itself",
    async ({ variable }) => {
      await expect(loadConfig({ cwd: folder, env: { [variable]: "?=?" } })).rejects.toMatchObject({
        code: "CONFIG",
        message: expect.stringContaining(variable),
      });
    },
  );
});

describe("a secret", () => {
  it("comes from the environment or a file of its own, never from the configuration", async () => {
    const file = join(folder, "key");
    await writeFile(file, "x\n");
    const variable = "SPRINGHOUSE_BACKUP_ENCRYPTION_KEY";

    const config = await loadConfig({ cwd: folder, env: { [`${variable}_FILE`]: file } });
    const written = loadJson({ backup: { encryptionKey: "ab".repeat(32) } });

    expect(config.backup.encryptionKeyFile).toBe(file);
    await expect(written).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining(variable),
    });
    await expect(written).rejects.not.toMatchObject({ message: expect.stringContaining("abab") });
  });
});

describe("each alias", () => {
  const aliases = changeable.flatMap(({ name, facts }) =>
    Object.entries(facts.aliases ?? {}).map(([alias, unit]) => ({ alias, name, facts, unit })),
  );

  it.each(aliases)("$alias stands for $name", async ({ alias, name, facts, unit }) => {
    const { written, resolved } = sample(facts);

    const value = unit === "seconds" || unit === "pages" ? 3 : unit === "file" ? "a.db" : written;
    const config = await loadJson(nested(alias, value));

    const expected = {
      same: resolved,
      seconds: 3_000,
      pages: 12_288,
      file: `sqlite:${join(folder, "a.db")}`,
      added: 3 + 17,
    }[unit];
    expect(valueAt(config, name)).toEqual(expected);
  });
});

describe("the names", () => {
  it("are each given to one key only", () => {
    const names = ALL_KEYS.flatMap(({ name, facts }) => [
      name,
      ...Object.keys(facts.aliases ?? {}),
    ]);
    const variables = ALL_KEYS.map(({ variable }) => variable);

    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it("give every key a sentence", () => {
    for (const { facts } of ALL_KEYS) expect(facts.doc).toMatch(/^[A-Z`].*\.$/);
  });
});
