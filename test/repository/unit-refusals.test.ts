/** What a unit of work refuses to write, and what it lets pass. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Scope } from "../../src/repository/scope.ts";
import { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import { type entities, type Fixture, openFixture, storeKinds, Task, Week } from "./support.ts";

describe.each(storeKinds)("refusals of units of work over the %s store", (kind) => {
  let fixture: Fixture;
  let unit: UnitOfWork<typeof entities>;

  const begin = (change: Partial<Scope> = {}): UnitOfWork<typeof entities> =>
    new UnitOfWork<typeof entities>({ ...fixture.scope, ...change });

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    await fixture.of(Week).create({ label: "w1" });
    await fixture.of(Task).createMany([
      { weekId: 1, title: "a", extra: { list: [1] } },
      { weekId: 1, title: "b" },
    ]);
    unit = begin();
  });

  afterAll(() => fixture[Symbol.asyncDispose]());

  test("a delete that permissions narrow away is refused, and nothing is written", async () => {
    const narrowed = begin({
      permissions: ({ action }) => (action === "delete" ? { where: { title: "b" } } : true),
    });
    const [a, b] = await narrowed.repository(Task).list({ orderBy: { id: "asc" } });
    if (a === undefined || b === undefined) throw new Error("missing");
    narrowed.repository(Task).remove(a);
    narrowed.repository(Task).remove(b);

    await expect(narrowed.commit()).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      fields: { entity: "tasks", action: "delete", key: 1 },
    });

    expect(await fixture.of(Task).count()).toBe(2);
  });

  test("a row that is gone already counts as removed, narrowed or not", async () => {
    const narrowed = begin({
      permissions: ({ action }) => (action === "delete" ? { where: { title: "x" } } : true),
    });
    for (const each of [narrowed, unit]) {
      const a = await each.repository(Task).get(1);
      if (a !== undefined) each.repository(Task).remove(a);
    }
    await fixture.of(Task).delete(1);

    await narrowed.commit();
    await unit.commit();

    expect(await fixture.of(Task).count()).toBe(1);
  });

  test("a value that was taken away is refused, for nobody knows what was meant", async () => {
    const a = await unit.repository(Task).get(1);
    if (a === undefined) throw new Error("missing");
    a.extra = undefined;
    (a as { title: unknown }).title = undefined;

    await expect(unit.commit()).rejects.toMatchObject({
      code: "VALIDATION",
      issues: [
        { path: ["title"], message: "is undefined; give null for NULL" },
        { path: ["extra"], message: "is undefined; give null for NULL" },
      ],
    });
    a.title = "a";
    a.extra = null;
    await unit.commit();

    expect(await fixture.of(Task).get(1)).toMatchObject({ title: "a", extra: null });
  });

  test("a row whose add was not awaited is refused rather than lost", async () => {
    const adding = unit.repository(Week).add({ label: "late" });
    const committing = unit.commit();

    await expect(adding).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    await committing;
    expect(await fixture.of(Week).count({ label: "late" })).toBe(0);
  });
});
