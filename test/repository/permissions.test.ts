import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type {
  PermissionDecision,
  PermissionHook,
  PermissionRequest,
} from "../../src/repository/permissions.ts";
import { many, one } from "../../src/repository/relation.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import { type entities, type Fixture, Member, Movie, openFixture, Task, Week } from "./support.ts";

let fixture: Fixture;
let requests: PermissionRequest[];

beforeAll(async () => {
  fixture = await openFixture();
});

beforeEach(async () => {
  await fixture.clear();
  requests = [];
  await fixture.of(Week).createMany([{ label: "w1" }, { label: "w2" }]);
  await fixture.of(Task).createMany([
    { weekId: 1, title: "a" },
    { weekId: 2, title: "b" },
  ]);
});

afterAll(() => fixture[Symbol.asyncDispose]());

function withHook(
  decide: (request: PermissionRequest) => PermissionDecision | Promise<PermissionDecision>,
): Repository<typeof Task> {
  const permissions = (
    request: PermissionRequest,
  ): PermissionDecision | Promise<PermissionDecision> => {
    requests.push(request);
    return decide(request);
  };
  return fixture.of(Task, { permissions, actor: "ann" });
}

const calls: Record<string, (tasks: Repository<typeof Task>) => Promise<unknown>> = {
  get: (tasks) => tasks.get(1),
  getMany: (tasks) => tasks.getMany([1]),
  list: (tasks) => tasks.list(),
  page: (tasks) => tasks.page(),
  stream: (tasks) => Array.fromAsync(tasks.stream()),
  search: (tasks) => tasks.search("a"),
  exists: (tasks) => tasks.exists(1),
  count: (tasks) => tasks.count(),
  create: (tasks) => tasks.create({ weekId: 1, title: "c" }),
  createMany: (tasks) => tasks.createMany([{ weekId: 1, title: "c" }]),
  "createMany of an iterable": (tasks) => tasks.createMany(new Set([{ weekId: 1, title: "c" }])),
  update: (tasks) => tasks.update(1, {} as never),
  patch: (tasks) => tasks.patch(1, { score: 1 }),
  upsert: (tasks) => tasks.upsert({ id: 1, weekId: 1, title: "c" }),
  delete: (tasks) => tasks.delete(1),
  deleteMany: (tasks) => tasks.deleteMany({}),
};

describe("a hook that says no", () => {
  test.each(Object.keys(calls))("stops %s before anything is read or written", async (name) => {
    fixture.statements.length = 0;
    const tasks = withHook(() => false);

    await expect(calls[name]?.(tasks)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      fields: { entity: "tasks", actor: "ann" },
    });

    expect(fixture.statements).toEqual([]);
  });

  test.each([undefined, null, "yes", 1, {}])("%j is no", async (answer) => {
    const tasks = withHook(() => answer as never);

    await expect(tasks.list()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("may answer later, and what it throws reaches the caller", async () => {
    const later = withHook(async () => false);
    const broken = withHook(() => {
      throw new Error("broken");
    });

    await expect(later.get(1)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(broken.get(1)).rejects.toThrow("broken");
  });
});

test("a hook is told who wants to do what to which row", async () => {
  const tasks = withHook(() => true);

  await tasks.get(1);
  await tasks.patch(1, { score: 1 });
  await tasks.create({ weekId: 1, title: "c" });
  await tasks.delete(3);

  const who = { entity: "tasks", actor: "ann" };
  expect(requests).toEqual([
    { ...who, action: "read", key: 1 },
    { ...who, action: "update", key: 1, changes: { score: 1 } },
    { ...who, action: "create", changes: { weekId: 1, title: "c" } },
    { ...who, action: "delete", key: 3 },
  ]);
});

describe("what a hook is asked about is what is done", () => {
  const member = { taskId: 1, name: "x" };

  beforeEach(async () => {
    await fixture.of(Member).createMany([member, { taskId: 2, name: "x" }]);
  });

  /** Forbids everything about task 2, and answers later: after `meanwhile`. */
  function slowly(meanwhile: () => void): PermissionHook {
    return async ({ key, changes }) => {
      const { taskId } = (key ?? changes ?? {}) as { taskId?: number };
      meanwhile();
      return taskId !== 2;
    };
  }

  test("although the key changes before the answer", async () => {
    let key = { ...member };
    const permissions = slowly(() => {
      key.taskId = 2;
    });
    const members = fixture.of(Member, { permissions });
    const unit = new UnitOfWork<typeof entities>({ ...fixture.scope, permissions });
    const fresh = (): typeof member => {
      key = { ...member };
      return key;
    };

    expect(await members.get(fresh())).toMatchObject({ taskId: 1 });
    expect(await unit.repository(Member).get(fresh())).toMatchObject({ taskId: 1 });
    expect(await members.exists(fresh())).toBe(true);
    expect((await members.patch(fresh(), { role: "r" })).taskId).toBe(1);
    expect((await members.update(fresh(), { role: "u" })).taskId).toBe(1);
    expect(await members.delete(fresh())).toBe(true);
    expect(await fixture.of(Member).list()).toEqual([{ taskId: 2, name: "x", role: null }]);
    unit.rollback();
  });

  test("although the row changes before the answer", async () => {
    let row: { taskId: number; name: string };
    const permissions = slowly(() => {
      row.taskId = 2;
    });
    const members = fixture.of(Member, { permissions });
    const fresh = (name: string): typeof row => {
      row = { taskId: 1, name };
      return row;
    };

    await members.create(fresh("a"));
    await members.createMany([fresh("b")]);
    await members.createMany(new Set([fresh("c")]));
    await members.upsert(fresh("d"));
    const unit = new UnitOfWork<typeof entities>({ ...fixture.scope, permissions });
    row = await unit.repository(Member).add(fresh("e"));
    await unit.commit();

    const names = (await fixture.of(Member).list({ where: { taskId: 1 } })).map(({ name }) => name);
    expect(names).toEqual(["a", "b", "c", "d", "e", "x"]);
  });

  test("and the hook can change neither the row nor the caller's object", async () => {
    const changed: unknown[] = [];
    const tasks = withHook(({ changes }) => {
      const { extra, createdAt } = changes as { extra: { list: number[] }; createdAt?: Date };
      changed.push(Reflect.set(changes as object, "title", "y"), Reflect.set(extra, "list", []));
      createdAt?.setTime(0);
      return true;
    });
    const input = { weekId: 1, title: "c", extra: { list: [1] }, createdAt: new Date(5) };

    const row = await tasks.create(input);

    expect(changed).toEqual([false, false]);
    expect(row).toMatchObject(input);
    expect(input).toEqual({ weekId: 1, title: "c", extra: { list: [1] }, createdAt: new Date(5) });
  });
});

describe("a hook that gives a condition", () => {
  const narrowed = (): Repository<typeof Task> =>
    withHook(({ action }) => (action === "create" ? true : { where: { weekId: 1 } }));

  test("narrows every way to read", async () => {
    const tasks = narrowed();

    expect(await tasks.get(1)).toBeDefined();
    expect(await tasks.get(2)).toBeUndefined();
    expect(await tasks.getMany([2, 1])).toEqual([undefined, expect.objectContaining({ id: 1 })]);
    expect(
      (await tasks.list({ where: { or: [{ id: 1 }, { id: 2 }] } })).map(({ id }) => id),
    ).toEqual([1]);
    expect(await tasks.page({ total: true })).toMatchObject({ rows: [{ id: 1 }], total: 1 });
    expect(await Array.fromAsync(tasks.stream())).toHaveLength(1);
    expect(await tasks.search("b")).toEqual([]);
    expect(await tasks.exists(2)).toBe(false);
    expect(await tasks.count()).toBe(1);
  });

  test("keeps writes off the other rows", async () => {
    const tasks = narrowed();
    const other = await fixture.of(Task).get(2);

    await expect(tasks.patch(2, { score: 1 })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(tasks.patch(2, {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(tasks.upsert({ id: 2, weekId: 2, title: "b", score: 1 })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
    expect(await tasks.delete(2)).toBe(false);
    expect(await tasks.deleteMany({})).toBe(1);
    expect(await fixture.of(Task).list()).toEqual([other]);
  });

  test("lets writes through to its own rows", async () => {
    const tasks = narrowed();

    expect((await tasks.patch(1, { score: 1 })).score).toBe(1);
    expect((await tasks.upsert({ id: 1, weekId: 1, title: "a", score: 2 })).score).toBe(2);
    expect(await tasks.delete(1)).toBe(true);
  });

  test("means nothing for a create", async () => {
    const tasks = withHook(() => ({ where: { weekId: 1 } }));

    await expect(tasks.create({ weekId: 1, title: "c" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  test("holds for details, too", async () => {
    const movie = await fixture.of(Movie).create({ title: "Dune", year: 1984 });
    const permissions = (): PermissionDecision => ({ where: { year: 2024 } });
    const movies = fixture.of(Movie, {
      permissions: (r) => r.action === "create" || permissions(),
    });

    await expect(movies.patch(movie.id, { title: "x" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    const upsert = movies.upsert({ id: movie.id, title: "x" });
    await expect(upsert).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(await movies.delete(movie.id)).toBe(false);
    expect(await fixture.of(Movie).count({ title: "Dune" })).toBe(1);
  });
});

test("related rows are asked for as well", async () => {
  await fixture.of(Member).create({ taskId: 1, name: "x" });
  const tasks = withHook(({ entity }) => {
    if (entity === "weeks") return { where: { label: "w2" } };
    return entity === "tasks";
  });

  const rows = await tasks.list({ include: { week: one(Week) } });
  const refused = tasks.list({ include: { members: many(Member) } });

  expect(rows.map(({ week }) => week?.label)).toEqual([undefined, "w2"]);
  await expect(refused).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
});
