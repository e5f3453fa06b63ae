/** What is no row although it is an object: its data would be dropped without a word. */

import vm from "node:vm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { type entities, type Fixture, openFixture, Task, Week } from "./support.ts";

const Note = entity("notes", { id: t.int().primaryKey(), text: t.text().default("none") });

class Computed {
  get text(): string {
    return "z";
  }
}

class Own {
  text = "z";
}

const strange: [string, unknown][] = [
  ["a Map", new Map([["text", "q"]])],
  ["a Date", new Date()],
  ["a Computed", new Computed()],
  ["a Own", new Own()],
  ["a Promise; await it", Promise.resolve({ text: "q" })],
  ["a Uint8Array", new Uint8Array(3)],
  ["a class without a name", new (class {})()],
];

let fixture: Fixture;

beforeAll(async () => {
  fixture = await openFixture();
});

beforeEach(async () => {
  await fixture.clear();
  await fixture.of(Week).create({ label: "w1" });
});

afterAll(() => fixture[Symbol.asyncDispose]());

test.each(strange)("%s is no row", async (name, given) => {
  await using db = await open({ url: "sqlite::memory:", entities: [Note] });
  const notes = db.repository(Note);
  const { id } = await notes.create({});
  const row = given as object;
  const unit = db.unitOfWork();
  const refused = { code: "VALIDATION", message: expect.stringContaining(`not ${name}`) };

  await expect(notes.create(row)).rejects.toMatchObject(refused);
  await expect(notes.createMany([{}, row])).rejects.toMatchObject({
    ...refused,
    issues: [{ path: [1] }],
  });
  await expect(notes.patch(id, row)).rejects.toMatchObject(refused);
  await expect(notes.update(id, row as never)).rejects.toMatchObject(refused);
  await expect(notes.upsert(row)).rejects.toMatchObject(refused);
  await expect(unit.repository(Note).add(row)).rejects.toMatchObject(refused);
  expect(await notes.list()).toEqual([{ id, text: "none" }]);
  unit.rollback();
});

test("null is no row of a unit, and no rows to refer to", async () => {
  const unit = new UnitOfWork<typeof entities>(fixture.scope);
  const weeks = unit.repository(Week);

  await expect(weeks.add(null as never)).rejects.toMatchObject({ code: "VALIDATION" });
  await expect(weeks.add({ label: "x" }, null as never)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  unit.rollback();
});

test("objects without a prototype and of other realms are rows", async () => {
  const foreign = vm.runInNewContext('({ weekId: 1, title: "a" })');
  const bare = Object.assign(Object.create(null), { weekId: 1, title: "b" });

  expect(await fixture.of(Task).createMany([foreign, bare])).toBe(2);
});
