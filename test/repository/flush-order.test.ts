/** Units of work whose rows refer to rows of the same entity, or in a circle. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/open/database.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const Folder = entity("folders", {
  id: t.int().primaryKey(),
  name: t.text(),
  parentId: t.int().nullable().references("folders.id", { onDelete: "restrict" }).index(),
});
const Team = entity("teams", {
  id: t.int().primaryKey(),
  name: t.text(),
  leadId: t.int().nullable().references("people.id", { onDelete: "restrict" }).index(),
});
const Person = entity("people", {
  id: t.int().primaryKey(),
  name: t.text(),
  teamId: t.int().nullable().references("teams.id", { onDelete: "restrict" }).index(),
});
const Badge = entity("badges", {
  id: t.int().primaryKey(),
  code: t.text().unique(),
  personId: t.int().nullable().references("people.id", { onDelete: "restrict" }).index(),
});
const entities = [Folder, Team, Person, Badge] as const;

describe("the order in which a unit of work writes", () => {
  let db: Database<typeof entities>;

  beforeEach(async () => {
    db = await open({ url: "sqlite::memory:", entities });
  });

  afterEach(() => db.close());

  const names = async (): Promise<string[]> =>
    (await db.repository(Folder).list()).map(({ name }) => name);

  test("a parent is inserted before its children, whichever was added first", async () => {
    await using unit = db.unitOfWork();
    const folders = unit.repository(Folder);
    await folders.add({ id: 3, name: "leaf", parentId: 2 });
    await folders.add({ id: 2, name: "branch", parentId: 1 });
    await folders.add({ id: 1, name: "root" });
    await folders.add({ id: 4, name: "own", parentId: 4 });

    await unit.commit();

    expect(await names()).toEqual(["root", "branch", "leaf", "own"]);
  });

  test("keys that the database numbers reach the children, level by level", async () => {
    await using unit = db.unitOfWork();
    const folders = unit.repository(Folder);
    const roots = [await folders.add({ name: "a" }), await folders.add({ name: "b" })];
    const branches = [];
    for (const parentId of roots) {
      branches.push(await folders.add({ name: `${parentId.name}1` }, { parentId }));
    }
    const leaf = await folders.add({ name: "b11" }, { parentId: branches[1] as object });

    await unit.commit();

    expect(await names()).toEqual(["a", "b", "a1", "b1", "b11"]);
    expect(leaf.parentId).toBe(branches[1]?.id);
    expect(branches[1]?.parentId).toBe(roots[1]?.id);
  });

  test("children are deleted before their parents, whichever was removed first", async () => {
    await db.repository(Folder).createMany([
      { id: 1, name: "root" },
      { id: 2, name: "branch", parentId: 1 },
      { id: 3, name: "leaf", parentId: 2 },
    ]);
    await using unit = db.unitOfWork();
    const folders = unit.repository(Folder);
    for (const row of await folders.list()) folders.remove(row);

    await unit.commit();

    expect(await names()).toEqual([]);
  });

  test("a child that moves elsewhere lets its old parent go", async () => {
    await db.repository(Folder).createMany([
      { id: 1, name: "old" },
      { id: 2, name: "child", parentId: 1 },
    ]);
    await using unit = db.unitOfWork();
    const folders = unit.repository(Folder);
    const [old, child] = await folders.list();
    if (old === undefined || child === undefined) throw new Error("missing");
    await folders.add({ id: 3, name: "new" });
    child.parentId = 3;
    folders.remove(old);

    await unit.commit();

    expect(await names()).toEqual(["child", "new"]);
  });

  test("a row that nothing can refer to leaves its unique value to one that is added", async () => {
    const ann = await db.repository(Person).create({ name: "Ann" });
    const bob = await db.repository(Person).create({ name: "Bob" });
    await db.repository(Badge).create({ code: "a", personId: ann.id });
    await using unit = db.unitOfWork();
    const badges = unit.repository(Badge);
    const [old] = await badges.list();
    const left = await unit.repository(Person).get(ann.id);
    if (old === undefined || left === undefined) throw new Error("missing");
    await badges.add({ code: "a", personId: bob.id });
    unit.repository(Person).remove(left);
    badges.remove(old);

    await unit.commit();

    expect(await db.repository(Badge).list()).toMatchObject([{ code: "a", personId: bob.id }]);
    expect(await db.repository(Person).list()).toEqual([bob]);
  });

  test("rows of entities that refer to each other are ordered by what they refer to", async () => {
    await using unit = db.unitOfWork();
    const lead = await unit.repository(Person).add({ name: "Ann" });
    const teamId = await unit.repository(Team).add({ name: "core" }, { leadId: lead });
    await unit.repository(Person).add({ name: "Bob" }, { teamId });

    await unit.commit();

    const people = await db.repository(Person).list();
    expect(people).toMatchObject([
      { name: "Ann", teamId: null },
      { name: "Bob", teamId: teamId.id },
    ]);
    expect(teamId.leadId).toBe(lead.id);
  });

  test.each([
    [
      "one entity",
      async (unit: ReturnType<typeof db.unitOfWork>) => {
        await unit.repository(Folder).add({ id: 1, name: "a", parentId: 2 });
        await unit.repository(Folder).add({ id: 2, name: "b", parentId: 1 });
      },
    ],
    [
      "two entities",
      async (unit: ReturnType<typeof db.unitOfWork>) => {
        await unit.repository(Person).add({ id: 1, name: "Ann", teamId: 1 });
        await unit.repository(Team).add({ id: 1, name: "core", leadId: 1 });
      },
    ],
  ])("a circle of new rows of %s is refused, and nothing is written", async (_, add) => {
    await using unit = db.unitOfWork();
    await unit.repository(Folder).add({ id: 9, name: "bystander" });
    await add(unit);

    const committing = unit.commit();

    await expect(committing).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(committing).rejects.toThrow("refer to each other in a circle");
    expect(await names()).toEqual([]);
  });

  test("a chain of thousands is written without an overflow", async () => {
    const count = 3_000;
    await using unit = db.unitOfWork();
    const folders = unit.repository(Folder);
    for (let id = count; id >= 1; id--) {
      await folders.add({ id, name: `f${id}`, parentId: id === 1 ? null : id - 1 });
    }

    await unit.commit();

    expect(await db.repository(Folder).count()).toBe(count);
  });
});
