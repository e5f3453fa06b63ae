import { importTable } from "springhouse/import";
import { expect, it } from "vitest";
import { ImportFolder } from "./support.ts";

async function run(folder: ImportFolder, text: string) {
  const sources = await folder.file("a.json", text);
  const { target } = folder;
  return await importTable({ target, sources, table: "t", backupDirectory: false });
}

it("tells names apart that differ in letters beyond ASCII, as SQLite does", async () => {
  await using folder = await ImportFolder.make();

  await run(folder, '[{"größe":1,"GRÖßE":2}]');
  await run(folder, '[{"größe":3,"GRÖßE":4}]');

  expect(folder.rows('SELECT "größe" AS small, "GRÖßE" AS large FROM t')).toEqual([
    { small: 1, large: 2 },
    { small: 3, large: 4 },
  ]);
});

it("refuses names that are one column to SQLite, naming both", async () => {
  await using folder = await ImportFolder.make();

  await expect(run(folder, '[{"Size":1,"size":2}]')).rejects.toThrow(
    '"Size" and "size" would be one column. Give a mapping with --map.',
  );
});
