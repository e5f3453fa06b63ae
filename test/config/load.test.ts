import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "springhouse-config-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const load = (env: Record<string, string> = {}): Promise<Config> =>
  loadConfig({ cwd: folder, env });

/** The example of the second seed document, word for word. */
const SEED_YAML = `
database:
  url: "sqlite:///researcharr.db"  # or postgresql://...
  pool_size: 5
  max_overflow: 10
  echo: false  # SQLAlchemy query logging

migrations:
  directory: "migrations"
  auto_generate: true

cache:
  enabled: true
  provider: "redis"  # or "memory"
  redis_url: "redis://localhost:6379/0"
  default_ttl: 300

backup:
  enabled: true
  directory: "backups"
  schedule: "0 2 * * *"  # Daily at 2 AM
  keep_last: 30

monitoring:
  enabled: true
  slow_query_threshold: 1.0  # seconds
  health_check_interval: 60  # seconds
`;

describe("loadConfig", () => {
  it("gives the defaults when there is no file", async () => {
    const config = await load();

    expect(config.file).toBeUndefined();
    expect(config.database.url).toBe(`sqlite:${join(folder, "app.db")}`);
    expect(config.database.pool).toEqual({
      minSize: 3,
      maxSize: 10,
      connectionTimeout: 5_000,
      idleTimeout: 300_000,
      maxLifetime: 3_600_000,
      leakDetectionThreshold: 60_000,
    });
    expect(config.database.slowQueryThreshold).toBe(100);
    expect(config.entities).toBeUndefined();
    expect(config.migrations).toMatchObject({ batchSize: 1_000, timeout: 30_000 });
    expect(config.cache).toMatchObject({ provider: "memory", defaultTtl: 300_000 });
    expect(Object.isFrozen(config.database.pool)).toBe(true);
  });

  it("reads a TypeScript file with defineConfig", async () => {
    const define = join(import.meta.dirname, "../../src/config/define.ts");
    await write(
      "springhouse.config.ts",
      `import { defineConfig } from ${JSON.stringify(define)};
       const size: number = 4;
       export default defineConfig({ database: { pool: { minSize: 1, maxSize: size } } });`,
    );

    const config = await load();

    expect(config.file).toBe(join(folder, "springhouse.config.ts"));
    expect(config.database.pool.maxSize).toBe(4);
  });

  it("reads JavaScript and JSON, and resolves paths from the folder of the file", async () => {
    await mkdir(join(folder, "deploy"));
    await write("deploy/springhouse.config.js", 'export default { entities: "./schema.ts" };');
    await write("deploy/other.json", '{ "database": { "url": "sqlite:data/a.db" } }');

    const js = await loadConfig({ cwd: join(folder, "deploy"), env: {} });
    const json = await loadConfig({ cwd: folder, file: "deploy/other.json", env: {} });

    expect(js.entities).toBe(join(folder, "deploy/schema.ts"));
    expect(json.database.url).toBe(`sqlite:${join(folder, "deploy/data/a.db")}`);
    expect(json.migrations.directory).toBe(join(folder, "deploy/migrations"));
  });

  it("reads the YAML file of the second seed as it stands", async () => {
    await write("springhouse.config.yaml", SEED_YAML);

    const config = await load();

    expect(config.database.url).toBe(`sqlite:///${join(folder, "researcharr.db")}`);
    expect(config.database.pool).toMatchObject({ minSize: 5, maxSize: 15 });
    expect(config.database.slowQueryThreshold).toBe(1_000);
    expect(config.migrations.autoGenerate).toBe(true);
    expect(config.cache).toMatchObject({ provider: "redis", defaultTtl: 300_000 });
    expect(config.backup).toMatchObject({ schedule: "0 2 * * *", keepLast: 30 });
    expect(config.monitoring.healthCheckInterval).toBe(60_000);
  });

  it("takes an empty YAML file and empty sections for nothing said", async () => {
    await write("springhouse.config.yml", "database:\ncache: {}\n");

    expect((await load()).database.echo).toBe(false);

    await write("springhouse.config.yml", "# nothing\n");
    expect((await load()).database.echo).toBe(false);
  });

  it("lets the environment win over the file", async () => {
    await write("springhouse.config.json", '{ "database": { "echo": true, "profile": "fast" } }');

    const config = await load({ SPRINGHOUSE_DATABASE_ECHO: "off" });

    expect(config.database).toMatchObject({ echo: false, profile: "fast" });
  });

  it("lets overrides win over both, with paths from the working directory", async () => {
    await mkdir(join(folder, "deploy"));
    await write("deploy/a.json", '{ "database": { "url": "sqlite:a.db" } }');

    const config = await loadConfig({
      cwd: folder,
      file: "deploy/a.json",
      env: { SPRINGHOUSE_DATABASE_URL: "sqlite:b.db" },
      overrides: { database: { url: "sqlite:c.db" } },
    });

    expect(config.database.url).toBe(`sqlite:${join(folder, "c.db")}`);
    expect(config.migrations.directory).toBe(join(folder, "deploy/migrations"));
  });

  it("reads a secret from the file that a variable names", async () => {
    await write("secret", "postgres://app:pass@db/main\n");

    const config = await load({ SPRINGHOUSE_DATABASE_URL_FILE: join(folder, "secret") });

    expect(config.database.url).toBe("postgres://app:pass@db/main");
  });

  it("fits a default pool size to the given one, and refuses two that do not fit", async () => {
    const least = "SPRINGHOUSE_DATABASE_POOL_MIN_SIZE";
    const most = "SPRINGHOUSE_DATABASE_POOL_MAX_SIZE";

    expect((await load({ [least]: "20" })).database.pool.maxSize).toBe(20);
    expect((await load({ [most]: "2" })).database.pool.minSize).toBe(2);
    await expect(load({ [least]: "4", [most]: "3" })).rejects.toThrow(
      "SPRINGHOUSE_DATABASE_POOL_MAX_SIZE: 3 is less than database.pool.minSize, which is 4.",
    );
  });
});

describe("loadConfig refuses", () => {
  const refused = async (text: string, message: string | RegExp): Promise<void> => {
    await write("springhouse.config.json", text);
    await expect(load()).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(message),
    });
  };

  it("an unknown key, with the nearest known one and the file's name", async () => {
    await refused(
      '{ "database": { "maxSize": 3 } }',
      /^springhouse\.config\.json: unknown key "database\.maxSize"\. Did .* "database\.pool\./,
    );
    await refused('{ "datbase": {} }', 'Did you mean "database"?'.replace("?", "\\?"));
    await refused('{ "bakcup": { "directory": "x" } }', 'Did you mean "backup"');
    await refused('{ "backup": { "zzzzzz": 1 } }', /Known in backup: enabled, directory, schedule/);
  });

  it("a section that is no object", async () => {
    await refused('{ "database": 5 }', "springhouse.config.json: database: give an object");
    await refused("[]", "springhouse.config.json: give an object");
  });

  it("one thing said under two names", async () => {
    await refused(
      '{ "database": { "slowQueryThreshold": 5 }, "monitoring": { "slow_query_threshold": 1 } }',
      "slow_query_threshold: says the same as springhouse.config.json: database.slowQuery",
    );
  });

  it("a journal that a killed process corrupts, with the reason", async () => {
    const pragmas = (settings: object): string =>
      JSON.stringify({ cache: { sqlite_cache: { pragma_settings: settings } } });

    await refused(pragmas({ journal_mode: "MEMORY" }), /MEMORY is refused: a killed process often/);
    await refused(pragmas({ journal_mode: "off" }), /off is refused: a killed process/);
    await refused(pragmas({ synchronous: "OFF" }), /OFF is refused: a power failure/);
  });

  it("settings of the cache's file that its profile does not have, with the reason", async () => {
    const sqlite = (settings: object): string => JSON.stringify({ cache: { sqlite: settings } });

    await refused(sqlite({ synchronous: "FULL" }), /FULL is refused: every write would wait/);
    await refused(sqlite({ tempStore: "FILE" }), /FILE is refused: the tier makes no temporary/);
    await refused(sqlite({ mmapSize: "64MB" }), /64MB is refused: a file that is cut short/);
    await write(
      "springhouse.config.json",
      sqlite({ synchronous: "NORMAL", tempStore: "MEMORY", mmapSize: 0 }),
    );
    await expect(load()).resolves.toBeDefined();
  });

  it("the switch that would turn batches off, and takes it when it says true", async () => {
    const text = (enabled: boolean): string =>
      JSON.stringify({ startup: { migration_optimization: { enabled } } });

    await refused(text(false), "must be true: a data step in one piece");
    await write("springhouse.config.json", text(true));
    await expect(load()).resolves.toBeDefined();
  });

  it("a duration without a unit in the environment", async () => {
    await expect(load({ SPRINGHOUSE_DATABASE_BUSY_TIMEOUT: "5" })).rejects.toThrow(
      'SPRINGHOUSE_DATABASE_BUSY_TIMEOUT: "5" is not a duration. Give milliseconds as a number, or',
    );
  });

  it("a misspelt variable of a section, and leaves other variables alone", async () => {
    await expect(load({ SPRINGHOUSE_DATABASE_ULR: "x" })).rejects.toThrow(
      "Did you mean SPRINGHOUSE_DATABASE_URL?",
    );
    await expect(load({ SPRINGHOUSE_CACHE_ZZZZZZZZZZZZZZZZZZ: "x" })).rejects.toThrow(
      "See docs/configuration.md",
    );
    await expect(load({ SPRINGHOUSE_TEST_REDIS: "x", OTHER: "y" })).resolves.toBeDefined();
  });

  it("a variable in both of its forms, and a secret file that is not there", async () => {
    await expect(
      load({ SPRINGHOUSE_DATABASE_URL: "sqlite:a", SPRINGHOUSE_DATABASE_URL_FILE: "b" }),
    ).rejects.toThrow("Keep one of them");
    await expect(
      load({ SPRINGHOUSE_DATABASE_URL_FILE: join(folder, "none") }),
    ).rejects.toMatchObject({ code: "CONFIG", message: expect.stringContaining("cannot be read") });
  });

  it("a URL of another kind, without repeating it", async () => {
    await expect(load({ SPRINGHOUSE_DATABASE_URL: "mysql://a:hunter2@b" })).rejects.toThrow(
      /^SPRINGHOUSE_DATABASE_URL: the URL must begin with one of sqlite:, postgres:, [a-z]+:\.$/,
    );
  });

  it("a URL of another kind where a folder would do", async () => {
    await expect(load({ SPRINGHOUSE_BACKUP_SEGMENTS_URL: "https://a:hunter2@b" })).rejects.toThrow(
      /^SPRINGHOUSE_BACKUP_SEGMENTS_URL: give a folder, or a URL that begins with one of s3:, file:/,
    );
  });

  it("a file that is broken, missing, of another kind, without an export, or double", async () => {
    await refused("{ oops", /springhouse\.config\.json cannot be used: .*JSON/);
    await rm(join(folder, "springhouse.config.json"));
    const file = (name: string): Promise<Config> =>
      loadConfig({ cwd: folder, file: name, env: {} });
    await write("a.yaml", "a: [");
    await write("b.toml", "");
    await write("c.ts", "export const config = {};");
    await write("d.ts", "throw new Error('inside');");

    await expect(file("none.json")).rejects.toThrow("the file does not exist");
    await expect(file("a.yaml")).rejects.toThrow(/a\.yaml cannot be used: .*line 1/s);
    await expect(file("b.toml")).rejects.toThrow("its name must end in .ts");
    await expect(file("c.ts")).rejects.toThrow("it has no default export");
    await expect(file("d.ts")).rejects.toThrow("d.ts cannot be used: inside");
    await write("springhouse.config.json", "{}");
    await write("springhouse.config.ts", "export default {};");
    await expect(load()).rejects.toThrow("has springhouse.config.ts and springhouse.config.json");
  });

  it("an unknown option of its own", async () => {
    await expect(loadConfig({ path: "a" } as object)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

it("shows no password when it is printed, and keeps it for the program", async () => {
  await write("springhouse.config.json", '{ "cache": { "redisUrl": "redis://:pw123@h:1/0" } }');

  const config = await load();

  expect(config.cache.redisUrl).toBe("redis://:pw123@h:1/0");
  for (const printed of [inspect(config), inspect(config.cache), inspect({ config })]) {
    expect(printed).toContain("redis://:***@h:1/0");
  }
});

describe("the place of segments", () => {
  it("is a URL as it stands, or a folder, relative to the file that names it", async () => {
    const cases = [
      ["s3://bucket/app?region=eu", "s3://bucket/app?region=eu"],
      ["file:///srv/segments", "file:///srv/segments"],
      ["/srv/segments", "/srv/segments"],
      ["off site/segments", join(folder, "off site/segments")],
    ] as const;
    for (const [segmentsUrl, resolved] of cases) {
      await write("springhouse.config.json", JSON.stringify({ backup: { segmentsUrl } }));

      expect((await load()).backup.segmentsUrl).toBe(resolved);
    }
  });
});
