import { open } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  checkMessages,
  countRows,
  integrityProblems,
  verifyCopy,
} from "../../src/migrate/integrity.ts";
import { openDirectStore } from "../support/direct-store.ts";
import { Scene } from "./support.ts";

test("a copy with the same numbers of rows passes", async () => {
  await using scene = await Scene.create();
  await using copy = openDirectStore(":memory:");
  await scene.run("CREATE TABLE old (a)", "INSERT INTO old VALUES (1), (2)");
  await copy.write([
    { sql: "CREATE TABLE new (a)", parameters: [] },
    { sql: "INSERT INTO new VALUES (1), (2)", parameters: [] },
  ]);
  const source = await scene.store();

  await verifyCopy(source, copy, { tables: { old: "new" } });
  await verifyCopy(source, copy);

  expect(await countRows(copy, "new")).toBe(2);
});

test("missing rows and rows that refer to nothing fail a copy", async () => {
  await using scene = await Scene.create();
  await using copy = openDirectStore(":memory:");
  await scene.run("CREATE TABLE old (a)", "INSERT INTO old VALUES (1), (2)");
  await copy.write([
    { sql: "CREATE TABLE t (id INTEGER PRIMARY KEY)", parameters: [] },
    { sql: "CREATE TABLE new (a REFERENCES t)", parameters: [] },
  ]);
  await copy.transaction(
    (tx) => tx.write([{ sql: "INSERT INTO new VALUES (1)", parameters: [] }]),
    { foreignKeys: "off" },
  );

  const verified = verifyCopy(await scene.store(), copy, { tables: { old: "new" } });

  await expect(verified).rejects.toMatchObject({
    code: "CONSTRAINT",
    fields: { problems: ["new → t: 1 row refers to nothing", "new has 1 rows, old has 2"] },
  });
});

test("a damaged file is told apart from a sound one", async () => {
  await using scene = await Scene.create();
  await scene.run("CREATE TABLE a (b TEXT)", "CREATE INDEX a_b ON a (b)");
  await scene.run("INSERT INTO a VALUES ('one'), ('two')");
  const sound = await integrityProblems(await scene.store());
  const [[page] = []] = await scene.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'a_b'");
  await (await scene.store()).close();
  const file = await open(scene.path, "r+");
  await file.write(Buffer.alloc(64), 0, 64, Number(page) * 4096 - 64);
  await file.close();
  await using damaged = openDirectStore(scene.path);

  expect(sound).toEqual([]);
  expect((await integrityProblems(damaged)).length).toBeGreaterThan(0);
  await expect(verifyCopy(damaged, damaged)).rejects.toMatchObject({ code: "CORRUPT" });
});

/** A database in which the page where a table or an index begins holds nothing. */
async function withoutRoot(name: string): Promise<Scene> {
  const scene = await Scene.create();
  const insert = "INSERT INTO a SELECT randomblob(3000) FROM json_each('[1,2,3,4,5,6,7,8,9,10]')";
  await scene.run("CREATE TABLE a (b BLOB)", "CREATE INDEX a_b ON a (b)", insert, insert, insert);
  const sql = `SELECT rootpage FROM sqlite_schema WHERE name = '${name}'`;
  const [[page] = []] = await scene.rows(sql);
  await (await scene.store()).close();
  const file = await open(scene.path, "r+");
  await file.write(Buffer.alloc(4096), 0, 4096, (Number(page) - 1) * 4096);
  await file.close();
  return scene;
}

test("complaints stand one by one, without what only introduces them", () => {
  const lines = Array.from({ length: 30 }, (_, page) => `Page ${page}: never used`);

  expect(checkMessages([["ok"]])).toEqual([]);
  expect(checkMessages([[`*** in database main ***\n${lines.join("\n")}`], ["NULL"]])).toEqual([
    ...lines,
    "NULL",
  ]);
});

test.each(["a", "a_b"])("verify answers when the root of %s is gone", async (name) => {
  await using scene = await withoutRoot(name);
  const store = await scene.open();

  const { ok, problems } = await (await scene.migrator({ store })).verify();

  expect(ok).toBe(false);
  expect(problems.map(({ code }) => code)).toEqual(["CORRUPT"]);
  expect(problems[0]?.message.split(";").length).toBeLessThanOrEqual(20);
});
