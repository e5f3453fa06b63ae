import { expect, it } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const Task = entity("tasks", { id: t.int().primaryKey(), title: t.text() });

it("slow statements are kept without values, and explained as the database stands", async () => {
  // Every statement counts as slow.
  const options = { url: "sqlite::memory:", entities: [Task], slowQueryThreshold: 0 } as const;
  await using db = await open(options);
  await db.execute("SELECT * FROM tasks WHERE title = 'Ann' AND id > ?", [3]);
  await db.execute("CREATE TABLE gone (a)");
  await db.execute("SELECT * FROM gone");
  await db.execute("DROP TABLE gone");

  const slow = db.slowQueries("1h");
  const explained = await db.explainSlowQueries("1h");

  expect(slow.map(({ sql }) => sql)).toContain("SELECT * FROM tasks WHERE title = ? AND id > ?");
  expect(JSON.stringify(slow)).not.toContain("Ann");
  const planOf = (beginning: string) =>
    explained.find(({ sql }) => sql.startsWith(beginning))?.plan;
  expect(planOf("SELECT * FROM tasks")).toEqual([
    "SEARCH tasks USING INTEGER PRIMARY KEY (rowid>?)",
  ]);
  expect(planOf("SELECT * FROM gone")).toEqual([]);
  expect(db.slowQueries(0)).toEqual(expect.any(Array));
});
