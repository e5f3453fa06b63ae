import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import type { Warning } from "../../src/core/channels.ts";
import { EventBus } from "../../src/repository/event-bus.ts";
import { type EventName, eventNameOf } from "../../src/repository/event-names.ts";
import type { EventsOf } from "../../src/repository/event-types.ts";
import { Models } from "../../src/repository/models.ts";
import type { RowOf } from "../../src/schema/types.ts";
import {
  catalog,
  type entities,
  type Fixture,
  Media,
  Movie,
  openFixture,
  Task,
  Week,
} from "./support.ts";

interface Own {
  readonly statisticsUpdated: { readonly weekId: number };
}

let warnings: Warning[];
const note = (message: unknown): void => void warnings.push(message as Warning);

beforeEach(() => {
  warnings = [];
  subscribe("springhouse:warning", note);
});

afterEach(() => void unsubscribe("springhouse:warning", note));

describe("events of rows", () => {
  let fixture: Fixture;
  let bus: EventBus<EventsOf<typeof entities> & Own>;
  let heard: unknown[];

  beforeEach(async () => {
    fixture = await openFixture();
    bus = new EventBus();
    heard = [];
    await fixture.of(Week).create({ label: "w1" });
  });

  afterEach(() => fixture[Symbol.asyncDispose]());

  test("tell what was created, changed and deleted, with old and new values", async () => {
    const tasks = fixture.of(Task, { events: bus, actor: "ann" });
    bus.on("taskCreated", (event) => void heard.push(["created", event]));
    bus.on("taskUpdated", (event) => void heard.push(["updated", event]));
    bus.on("taskDeleted", (event) => void heard.push(["deleted", event]));

    const first = await tasks.create({ weekId: 1, title: "a" });
    const second = await tasks.patch(1, { score: 5 });
    await tasks.delete(1);

    const subject = { entity: "tasks", key: 1, actor: "ann" };
    expect(heard).toEqual([
      ["created", { ...subject, new: first }],
      ["updated", { ...subject, old: first, new: second }],
      ["deleted", { ...subject, old: second }],
    ]);
  });

  test("come from all ways to write", async () => {
    const tasks = fixture.of(Task, { events: bus });
    bus.on("taskCreated", ({ new: row }) => void heard.push(`+${row.title}`));
    bus.on("taskUpdated", ({ old, new: row }) => void heard.push(`${old.score}>${row.score}`));
    bus.on("taskDeleted", ({ old }) => void heard.push(`-${old.title}`));

    await tasks.createMany([
      { weekId: 1, title: "a" },
      { weekId: 1, title: "b" },
    ]);
    await tasks.upsert({ weekId: 1, title: "a", score: 1 }, { on: ["weekId", "title"] });
    await tasks.upsert({ weekId: 1, title: "c" }, { on: ["weekId", "title"] });
    const row = await tasks.get(2);
    await tasks.update(2, { ...(row as RowOf<typeof Task>), score: 7 });
    await tasks.deleteMany({ score: { gt: 0 } });

    expect(heard).toEqual(["+a", "+b", "0>1", "+c", "0>7", "-a", "-b"]);
  });

  test("are not raised by what changed nothing or failed", async () => {
    const tasks = fixture.of(Task, { events: bus });
    for (const name of ["taskCreated", "taskUpdated", "taskDeleted"] as const) {
      bus.on(name, () => void heard.push(name));
    }
    await tasks.create({ weekId: 1, title: "a" });
    heard.length = 0;

    await tasks.patch(1, {});
    await tasks.delete(99);
    await expect(tasks.patch(99, { score: 1 })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(tasks.create({ weekId: 9, title: "b" })).rejects.toThrow();
    const many = tasks.createMany([
      { weekId: 1, title: "b" },
      { weekId: 1, title: "b" },
    ]);
    await expect(many).rejects.toThrow();

    expect(heard).toEqual([]);
  });

  test("of a detail are events of its base as well", async () => {
    const movies = fixture.of(Movie, { events: bus });
    bus.on("movieCreated", ({ new: row }) => void heard.push(["movie", Object.keys(row)]));
    bus.on("mediaCreated", ({ new: row }) => void heard.push(["media", Object.keys(row)]));

    await movies.create({ title: "Dune" });

    const base = ["id", "type", "title", "status", "updatedAt"];
    expect(heard).toEqual([
      ["movie", [...base, "year", "director"]],
      ["media", base],
    ]);
  });

  test("carry copies, so a listener cannot change the row of the writer", async () => {
    const tasks = fixture.of(Task, { events: bus });
    bus.on("taskCreated", ({ new: row }) => {
      (row as { title: string }).title = "changed";
      (row.extra as { a: number }).a = 2;
    });

    const row = await tasks.create({ weekId: 1, title: "a", extra: { a: 1 } });

    expect(row).toMatchObject({ title: "a", extra: { a: 1 } });
  });

  test("cost no statement when nobody listens", async () => {
    const tasks = fixture.of(Task, { events: bus });
    await tasks.create({ weekId: 1, title: "a" });
    fixture.statements.length = 0;

    await tasks.patch(1, { score: 1 });
    await tasks.delete(1);

    expect(fixture.statements).toHaveLength(2);
  });

  test("can be called otherwise", async () => {
    const models = new Models(catalog, "sqlite", { weeks: "sprint" });
    const named = new EventBus<EventsOf<typeof entities, { weeks: "sprint" }>>();
    named.on("sprintCreated", ({ new: row }) => void heard.push(row.label));

    await fixture.of(Week, { events: named, models }).create({ label: "w2" });

    expect(heard).toEqual(["w2"]);
  });

  test("are typed", () => {
    bus.on("taskUpdated", (event) => {
      expectTypeOf(event.old).toEqualTypeOf<RowOf<typeof Task>>();
      expectTypeOf(event.key).toEqualTypeOf<number>();
    });
    bus.on("mediaCreated", (event) => expectTypeOf(event.key).toEqualTypeOf<string>());
    bus.on("statisticsUpdated", (event) => expectTypeOf(event.weekId).toEqualTypeOf<number>());
    // @ts-expect-error: there is no such event.
    bus.on("taksCreated", () => {});
    expectTypeOf(Media).not.toBeAny();
  });
});

describe("listeners", () => {
  test("that throw or reject become warnings, and the others are still called", async () => {
    const bus = new EventBus<{ a: number }>();
    const heard: number[] = [];
    bus.on("a", () => {
      throw new Error("first");
    });
    bus.on("a", async () => {
      throw new Error("second");
    });
    bus.on("a", (event) => void heard.push(event));

    bus.raise("a", 1);
    await Promise.resolve();

    expect(heard).toEqual([1]);
    expect(warnings.map(({ code }) => code)).toEqual(["LISTENER_FAILED", "LISTENER_FAILED"]);
    expect(warnings[0]?.message).toContain("first");
  });

  test("all hear of an event before any hears of what one of them raised meanwhile", async () => {
    const bus = new EventBus<{ a: number; other: number }>();
    const heard: string[] = [];
    bus.on("a", (event) => {
      heard.push(`A${event}`);
      bus.raise("other", event);
    });
    bus.on("a", (event) => void heard.push(`B${event}`));
    bus.on("other", (event) => void heard.push(`o${event}`));

    bus.raise("a", 1);
    bus.raise("a", 2);
    await setImmediate();
    await bus.raiseAll([3, 4].map((event) => ({ name: "a", event })));
    await setImmediate();

    expect(heard).toEqual(["A1", "B1", "o1", "A2", "B2", "o2", "A3", "B3", "A4", "B4", "o3", "o4"]);
  });

  test("that raise events without end leave the event loop its turn", async () => {
    const bus = new EventBus<{ a: number }>();
    using _ = bus.on("a", (event) => bus.raise("a", event + 1));

    bus.raise("a", 1);

    await setTimeout(1);
  });

  test("are called once, in order, until they are taken off", () => {
    const bus = new EventBus<{ a: number }>();
    const heard: string[] = [];
    const one = (event: number): void => void heard.push(`one ${event}`);
    bus.on("a", one);
    bus.on("a", one);
    const handle = bus.on("a", (event) => void heard.push(`two ${event}`));

    bus.raise("a", 1);
    bus.off("a", one);
    bus.raise("a", 2);
    handle[Symbol.dispose]();
    bus.raise("a", 3);

    expect(heard).toEqual(["one 1", "two 1", "two 2"]);
    expect(bus.wants("a")).toBe(false);
    bus.off("a", one);
  });
});

describe("loops over events", () => {
  test("get what is raised while they run, and let go when they are left", async () => {
    const bus = new EventBus<{ a: number | undefined }>();
    const heard: (number | undefined)[] = [];
    const loop = (async () => {
      for await (const event of bus.events("a")) {
        heard.push(event);
        if (heard.length === 3) break;
      }
    })();

    bus.raise("a", 1);
    bus.raise("a", undefined);
    await Promise.resolve();
    bus.raise("a", 3);
    await loop;

    expect(heard).toEqual([1, undefined, 3]);
    expect(bus.wants("a")).toBe(false);
  });

  test("end with their signal, after what is waiting", async () => {
    const bus = new EventBus<{ a: number }>();
    const controller = new AbortController();
    const events = bus.events("a", { signal: controller.signal })[Symbol.asyncIterator]();
    const waiting = events.next();

    controller.abort();
    bus.raise("a", 1);

    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(bus.wants("a")).toBe(false);
    const aborted = bus.events("a", { signal: AbortSignal.abort() });
    expect(await Array.fromAsync(aborted)).toEqual([]);
  });

  test("leave nothing behind on a signal that outlives them", async () => {
    const bus = new EventBus<{ a: number }>();
    const { signal } = new AbortController();

    for (let loop = 0; loop < 100; loop++) {
      await bus.events("a", { signal })[Symbol.asyncIterator]().return?.();
    }

    expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
  });

  test("that are behind lose the oldest events, with one warning", async () => {
    const bus = new EventBus<{ a: number }>();
    const events = bus.events("a", { bufferMax: 2 })[Symbol.asyncIterator]();

    for (let event = 1; event <= 5; event++) bus.raise("a", event);

    expect([(await events.next()).value, (await events.next()).value]).toEqual([4, 5]);
    expect(warnings.map(({ code }) => code)).toEqual(["EVENTS_DROPPED"]);
    await events.return?.();
  });

  test("refuse a buffer that holds nothing", () => {
    const bus = new EventBus<{ a: number }>();
    const begin = (): unknown => bus.events("a", { bufferMax: 0 })[Symbol.asyncIterator]();

    expect(begin).toThrow("bufferMax");
  });
});

describe("names in events", () => {
  test("are the singular of the table, in types as well", () => {
    expectTypeOf<EventName<"tasks">>().toEqualTypeOf<"task">();
    expectTypeOf<EventName<"task_events">>().toEqualTypeOf<"taskEvent">();
    expectTypeOf<EventName<"categories">>().toEqualTypeOf<"category">();
    expectTypeOf<EventName<"old_movies">>().toEqualTypeOf<"oldMovie">();
    expectTypeOf<EventName<"series">>().toEqualTypeOf<"series">();
    expectTypeOf<EventName<"boxes">>().toEqualTypeOf<"box">();
    expectTypeOf<EventName<"work_classes">>().toEqualTypeOf<"workClass">();
    expectTypeOf<EventName<"batches">>().toEqualTypeOf<"batch">();
    expectTypeOf<EventName<"dishes">>().toEqualTypeOf<"dish">();
    expectTypeOf<EventName<"media">>().toEqualTypeOf<"media">();
    expectTypeOf<EventName<"status">>().toEqualTypeOf<"status">();
    expectTypeOf<EventName<"analysis">>().toEqualTypeOf<"analysis">();
    expectTypeOf<EventName<"glass">>().toEqualTypeOf<"glass">();
    expectTypeOf<EventName<"a__b_">>().toEqualTypeOf<"aB">();
  });

  test.each([
    ["tasks", "task"],
    ["task_events", "taskEvent"],
    ["categories", "category"],
    ["old_movies", "oldMovie"],
    ["series", "series"],
    ["boxes", "box"],
    ["work_classes", "workClass"],
    ["batches", "batch"],
    ["dishes", "dish"],
    ["media", "media"],
    ["status", "status"],
    ["analysis", "analysis"],
    ["glass", "glass"],
    ["a__b_", "aB"],
  ])("of %s is %s", (table, name) => {
    expect(eventNameOf(table)).toBe(name);
  });
});
