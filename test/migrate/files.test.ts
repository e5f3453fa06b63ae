import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checksumOf, defineMigration, loadMigrations } from "../../src/migrate/files.ts";
import { judgeStatement } from "../../src/migrate/lint.ts";
import type { MigrationBody, MigrationDefinition } from "../../src/migrate/migration.ts";
import { Scene } from "./support.ts";

const statementsOf = (body: MigrationBody | undefined): readonly string[] | undefined =>
  body?.kind === "script" ? body.statements.map(({ sql }) => sql) : undefined;

test("files are read in the order of their numbers, whatever the number of digits", async () => {
  await using scene = await Scene.create({
    "10_ten.sql": "SELECT 10",
    "002_two.sql": "SELECT 2",
    "0001_one.sql": "SELECT 1",
    "20260101120000_date.sql": "SELECT 3",
    "README.md": "not a migration",
  });

  const migrations = await loadMigrations(scene.migrations);

  expect(migrations.map(({ version, name }) => [version, name])).toEqual([
    [1, "one"],
    [2, "two"],
    [10, "ten"],
    [20260101120000, "date"],
  ]);
});

test("a folder that does not exist is named, and is not an empty one", async () => {
  await using scene = await Scene.create();
  const directory = join(scene.folder, "nowhere");
  const migrator = await scene.migrator({ directory });

  const calls: readonly (() => Promise<unknown>)[] = [
    () => loadMigrations(directory),
    () => migrator.up(),
    () => migrator.status(),
  ];
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(`${directory} does not exist`),
      fields: { directory },
    });
  }
  expect(await migrator.new("first", { from: "empty" })).toMatchObject({ version: 1 });
  expect(await migrator.status()).toMatchObject({ pending: [{ version: 1 }] });
});

test("sections and directives of an SQL file are understood, in text they are only text", async () => {
  await using scene = await Scene.create({
    "0001_all.sql": [
      "-- What it is for.",
      "-- springhouse: foreign-keys off",
      "--   Springhouse:  baseline ",
      "-- up",
      "CREATE TABLE t (a TEXT DEFAULT '",
      "-- down",
      "'); SELECT 1; -- down",
      "/*",
      "-- down",
      "*/",
      "-- DOWN",
      "DROP TABLE t;",
    ].join("\n"),
    "0002_short.sql": "CREATE TABLE u (a);\n-- springhouse: irreversible\n",
  });

  const [all, short] = await loadMigrations(scene.migrations);

  expect(statementsOf(all?.up)).toEqual([
    "CREATE TABLE t (a TEXT DEFAULT '\n-- down\n')",
    "SELECT 1",
  ]);
  expect(statementsOf(all?.down)).toEqual(["DROP TABLE t"]);
  expect(all).toMatchObject({ foreignKeys: "off", baseline: true, destructive: false });
  expect(all?.down?.kind === "script" && all.down.statements[0]?.line).toBe(12);
  expect(short).toMatchObject({ foreignKeys: "on", baseline: false });
  expect(short?.down).toBeUndefined();
});

test("line ends, byte order mark and trailing white space do not change the checksum", () => {
  const text = "CREATE TABLE t (\n  a TEXT\n);\n";

  expect(checksumOf("\uFEFFCREATE TABLE t (  \r\n  a TEXT\t\r\n);\r\n\r\n\r\n")).toBe(
    checksumOf(text),
  );
  expect(checksumOf(text.replace("TEXT", "INTEGER"))).not.toBe(checksumOf(text));
  expect(checksumOf(text.replace("  a", " a"))).not.toBe(checksumOf(text));
});

test("long runs of white space inside a text take no time and count", () => {
  const text = (run: string): string => `SELECT '${run.repeat(1_000_000)}'`;
  const startMs = performance.now();

  const checksums = [" ", "\n", "\t", "\r\n", "a"].map((run) => checksumOf(text(run)));

  expect(new Set(checksums).size).toBe(4);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});

test("a code file brings functions and says what it is", async () => {
  await using scene = await Scene.create({
    "0001_code.ts": `
      export const foreignKeys = "off";
      export const destructive: boolean = false;
      export async function up(tx: { execute(sql: string): Promise<unknown> }): Promise<void> {
        await tx.execute("CREATE TABLE t (a)");
      }
      export const down = "DROP TABLE t";
      export async function data(): Promise<void> {}
    `,
    "0002_plain.js": "export const up = async () => {};",
    "0002_plain.d.ts": "export declare const up: unknown;",
    "0002_plain.js.map": "{}",
  });

  const [code, plain] = await loadMigrations(scene.migrations);

  expect(code).toMatchObject({ version: 1, foreignKeys: "off", destructive: false });
  expect([code?.up.kind, statementsOf(code?.down), typeof code?.data]).toEqual([
    "code",
    ["DROP TABLE t"],
    "function",
  ]);
  expect(plain).toMatchObject({ version: 2, foreignKeys: "on", destructive: true });
});

test("a code file that is edited runs as it is now, not as it was read first", async () => {
  await using scene = await Scene.create({ "0001_code.ts": "export const up = 'SELECT 1';" });
  const script = async (): Promise<unknown> => {
    const [migration] = await loadMigrations(scene.migrations);
    return [statementsOf(migration?.up), migration?.checksum];
  };
  const first = await script();
  const edited = "export const up: string = 'SELECT 2';";
  await scene.write("0001_code.ts", edited);

  expect(await script()).toEqual([["SELECT 2"], checksumOf(edited)]);
  await scene.write("0001_code.ts", "export const up = 'SELECT 1';");
  expect(await script()).toEqual(first);
});

test("a code file that changes while it is read is refused", async () => {
  await using scene = await Scene.create();
  const path = JSON.stringify(join(scene.migrations, "0001_code.js"));
  await scene.write(
    "0001_code.js",
    `import { appendFileSync } from "node:fs";
    appendFileSync(${path}, "// changed");
    export const up = "SELECT 1";`,
  );

  await expect(loadMigrations(scene.migrations)).rejects.toThrow("changed while it was read");
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ["two of one version", { "001_a.sql": "", "0001_b.sql": "" }, "version 1 is used twice"],
  ["no name", { "0001.sql": "" }, "0001.sql: a migration is named like"],
  ["another suffix", { "0001_a.txt": "" }, "a migration is named like"],
  ["version zero", { "0_a.sql": "" }, "versions begin at 1"],
  ["an open string", { "0001_a.sql": "SELECT 1;\nSELECT '" }, "0001_a.sql:2: the quoted text"],
  [
    "a second down",
    { "0001_a.sql": "-- down\n-- up\n-- down\n" },
    '0001_a.sql:3: there is a second section "-- down"',
  ],
  [
    "an unknown directive",
    { "0001_a.sql": "\n-- springhouse: fast" },
    '0001_a.sql:2: unknown directive "fast"',
  ],
  [
    "irreversible with a way back",
    { "0001_a.sql": "-- springhouse: irreversible\n-- down\nSELECT 1" },
    "marked irreversible",
  ],
  [
    "a transaction of its own",
    { "0001_a.sql": "SELECT 1;\n\nBEGIN IMMEDIATE" },
    "0001_a.sql:3: BEGIN IMMEDIATE is not allowed here",
  ],
  ["foreign keys by pragma", { "0001_a.sql": "PRAGMA foreign_keys=OFF" }, "foreign-keys off"],
  ["vacuum in the way back", { "0001_a.sql": "-- down\nVACUUM" }, "0001_a.sql:2: VACUUM"],
  ["code without up", { "0001_a.js": "export const down = '';" }, "it has no `up`"],
  ["code with a misspelt export", { "0001_a.js": "export const upp = '';" }, 'Did you mean "up"'],
  [
    "code with a number for up",
    { "0001_a.js": "export const up = 1;" },
    "`up` must be a script or a function",
  ],
  [
    "code with a text for data",
    { "0001_a.js": "export const up = ''; export const data = '';" },
    "`data` must be",
  ],
  [
    "code with bad foreign keys",
    { "0001_a.js": "export const up = ''; export const foreignKeys = 1;" },
    "`foreignKeys` must be",
  ],
  ["code that does not load", { "0001_a.js": "export const = 1;" }, "it cannot be loaded"],
])("a folder with %s is refused", async (_, files, message) => {
  await using scene = await Scene.create(files);

  await expect(loadMigrations(scene.migrations)).rejects.toMatchObject({
    code: "MIGRATION_INVALID",
    message: expect.stringContaining(message),
  });
});

test("a file that is far too large is refused before it is parsed", async () => {
  await using scene = await Scene.create({ "0001_big.sql": "-- x\n".repeat(2_000_000) });

  await expect(loadMigrations(scene.migrations)).rejects.toThrow("import bulk data instead");
});

test("a file that cannot be read is named", async () => {
  await using scene = await Scene.create();
  await mkdir(join(scene.migrations, "0001_a.sql"));

  await expect(loadMigrations(scene.migrations)).rejects.toMatchObject({
    code: "MIGRATION_INVALID",
    message: expect.stringContaining("0001_a.sql: it cannot be read: EISDIR"),
  });
});

test.skipIf(process.getuid?.() === 0)("a folder that cannot be read is named", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "" });
  await chmod(scene.migrations, 0o000);

  const loading = loadMigrations(scene.migrations);

  await expect(loading).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
  await chmod(scene.migrations, 0o700);
});

test("a migration in code is checked like a file", () => {
  const define = (facts: Partial<MigrationDefinition>) => (): unknown =>
    defineMigration({ version: 1, name: "a", up: "SELECT 1", ...facts });

  expect(define({})()).toMatchObject({ source: 'migration 1 "a"', foreignKeys: "on" });
  expect(define({ version: 0 })).toThrow("a version is a whole number from 1");
  expect(define({ version: 1.5 })).toThrow("a version is a whole number from 1");
  expect(define({ up: "COMMIT" })).toThrow("COMMIT is not allowed here");
  expect(define({ downn: "" } as object)).toThrow('Did you mean "down"');
});

test("a change of any part of a migration in code changes its checksum", () => {
  const checksums = [
    {},
    { up: "SELECT 2" },
    { down: "SELECT 1" },
    { data: async () => undefined },
  ].map((facts) => defineMigration({ version: 1, name: "a", up: "SELECT 1", ...facts }).checksum);

  expect(new Set(checksums).size).toBe(4);
});

test.each([
  ["DROP TABLE IF EXISTS main.t", { destructive: true, dropsTable: true, table: "t" }],
  ["delete from t where 1", { destructive: true, table: "t" }],
  ["REPLACE INTO t VALUES (1)", { destructive: true, table: "t" }],
  ["INSERT OR REPLACE INTO t VALUES (1)", { destructive: true, table: "t" }],
  ["INSERT INTO t VALUES (1)", { destructive: false, table: "t" }],
  ['UPDATE "t" SET a = 1', { destructive: true, rewritesTable: true, table: "t" }],
  ["WITH x AS (SELECT 1) DELETE FROM t", { destructive: true }],
  ["WITH x AS (SELECT 1) SELECT * FROM x", { destructive: false }],
  ["ALTER TABLE t DROP COLUMN a", { destructive: true, rewritesTable: true, table: "t" }],
  ["ALTER TABLE t ADD COLUMN a", { destructive: false, table: "t" }],
  ["CREATE UNIQUE INDEX i ON t (a)", { destructive: false, table: "t" }],
  ["CREATE TABLE t (a)", { destructive: false }],
  ["PRAGMA user_version = 3", { destructive: false }],
  ["ATTACH 'x' AS y", { refusal: expect.stringContaining("cannot run inside") }],
])("what a statement does to data is told from its words: %s", (sql, facts) => {
  expect(judgeStatement(sql)).toMatchObject(facts);
});

test("a table that was copied whole may be dropped, any other may not", () => {
  expect(judgeStatement('DROP TABLE "Notes"', ["notes"])).toEqual({
    destructive: false,
    rewritesTable: true,
    table: "Notes",
  });
  expect(judgeStatement("DROP TABLE notes_old", ["notes"]).destructive).toBe(true);
});

test.each(["foo.sql", "helper.ts"])("a file without a number is refused: %s", async (name) => {
  await using scene = await Scene.create({ [name]: "SELECT 1;" });

  await expect(loadMigrations(scene.migrations)).rejects.toMatchObject({
    code: "MIGRATION_INVALID",
    message: expect.stringContaining("a migration is named like 0001_create_tasks.sql"),
  });
});

test("other files without a number are left alone", async () => {
  await using scene = await Scene.create({
    ".foo.sql": "",
    "types.d.ts": "",
    "README.md": "",
    "0001_a.sql": "SELECT 1;",
  });

  expect(await loadMigrations(scene.migrations)).toHaveLength(1);
});
