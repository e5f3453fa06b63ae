/** That repositories give way to the event loop, and keep their order and atomicity all the same. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EventBus } from "../../src/repository/event-bus.ts";
import { executeSql } from "../../src/repository/raw.ts";
import { many, one } from "../../src/repository/relation.ts";
import { type Fixture, Media, openFixture, Task, Week } from "./support.ts";

const ROWS = 12_000;
/** Enough that no machine decodes them within one slice. */
const DECODED_ROWS = 50_000;
const TITLES = Array.from({ length: ROWS }, (_, n) => ({ title: `m${n}`, type: "movie" as const }));

/** Turns of the event loop while `work` is under way. */
async function turnsOf<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let isRunning = true;
  const count = (): void => {
    turns++;
    if (isRunning) setImmediate(count);
  };
  setImmediate(count);
  try {
    return { result: await work(), turns };
  } finally {
    isRunning = false;
  }
}

/** The direct store answers in the same turn, so whatever gives way is the repository. */
describe("large work of repositories", () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await openFixture("direct");
  });

  beforeEach(() => fixture.clear());

  afterAll(() => fixture[Symbol.asyncDispose]());

  test("gives way while rows are decoded and related", async () => {
    const limits = { size: 50, sizeMax: DECODED_ROWS };
    await fixture.of(Week).create({ label: "w1" });
    await fixture.store.write([
      {
        sql: `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${DECODED_ROWS})
              INSERT INTO tasks (week_id, title) SELECT 1, 't' || i FROM n`,
        parameters: [],
      },
    ]);

    const list = await turnsOf(() => fixture.of(Task, { limits }).list({ limit: DECODED_ROWS }));
    const raw = await turnsOf(() => executeSql(fixture.scope, "SELECT * FROM tasks", [], {}));
    const include = { week: one(Week) };
    const withWeek = await turnsOf(() =>
      fixture.of(Task, { limits }).list({ limit: DECODED_ROWS, include }),
    );
    const [week] = await fixture.of(Week).list({ include: { tasks: many(Task) } });

    expect(list.result).toHaveLength(DECODED_ROWS);
    expect(raw.result.rows).toHaveLength(DECODED_ROWS);
    expect(withWeek.result.at(-1)?.week).toMatchObject({ id: 1 });
    expect(week?.tasks).toHaveLength(DECODED_ROWS);
    for (const { turns } of [list, raw, withWeek]) expect(turns).toBeGreaterThan(1);
  });

  test("a list with one bad row at its end is refused whole", async () => {
    const media = fixture.of(Media, { events: new EventBus() });
    const inputs = [...TITLES, { title: "", type: "movie" as const }];

    const checking = turnsOf(() => media.createMany(inputs));

    await expect(checking).rejects.toMatchObject({ issues: [{ path: [ROWS, "title"] }] });
    expect(await media.count()).toBe(0);
  });

  test("tells of many rows before it tells of what was written after them", async () => {
    const bus = new EventBus();
    const media = fixture.of(Media, { events: bus });
    await media.createMany(TITLES);
    const heard: unknown[] = [];
    const created = Promise.withResolvers<void>();
    let creating: Promise<unknown> | undefined;
    bus.on("mediaDeleted", () => {
      creating ??= media.create({ title: "new", type: "movie" });
      heard.push("deleted");
    });
    bus.on("mediaCreated", () => {
      heard.push("created");
      created.resolve();
    });

    const { turns } = await turnsOf(() => media.deleteMany({}));
    await creating;
    await created.promise;

    expect(turns).toBeGreaterThan(1);
    expect(heard).toHaveLength(ROWS + 1);
    expect(heard.indexOf("created")).toBe(ROWS);
  });

  test("a permissions hook is asked for many rows in several turns", async () => {
    const asked: unknown[] = [];
    const permissions = ({ changes }: { readonly changes?: unknown }): boolean => {
      asked.push(changes);
      return true;
    };
    const media = fixture.of(Media, { events: new EventBus(), permissions });

    const { result, turns } = await turnsOf(() => media.createMany(TITLES));

    expect(result).toBe(ROWS);
    expect(asked).toHaveLength(ROWS);
    expect(turns).toBeGreaterThan(1);
  });
});

describe("events in line", () => {
  test("an event whose making fails harms nobody behind it", async () => {
    const bus = new EventBus();
    const heard: unknown[] = [];
    bus.on("a", (event) => heard.push(event));
    function* failing(): Generator<{ name: string; event: number }> {
      yield { name: "a", event: 1 };
      throw new Error("no");
    }

    const first = bus.raiseAll(failing());
    bus.raise("a", 2);
    const third = bus.raiseAll([{ name: "a", event: 3 }]);

    await expect(first).rejects.toThrow("no");
    await third;
    expect(heard).toEqual([1, 2, 3]);
  });
});
