import { describe, expect, it } from "vitest";
import type { MoveProblem, MoveStage } from "../../../src/migrate/import/dual-part.ts";
import { type DualBackend, dualWrite } from "../../../src/migrate/import/dual-write.ts";

interface Names {
  get(id: string): Promise<unknown>;
  save(id: string, value: unknown): Promise<void>;
}

interface Parts {
  readonly users: Names;
  readonly teams: Names;
}

/** A backend in memory; a transaction works on a copy that takes its place. */
class Memory implements Parts {
  #data = new Map<string, unknown>();
  /** Calls, and what to do before each of them. */
  readonly calls: string[] = [];
  before: (call: string) => void | Promise<void> = () => undefined;
  readonly users: Names = this.#part("users", () => this.#data);
  readonly teams: Names = this.#part("teams", () => this.#data);

  async withTransaction<T>(run: (parts: Parts) => Promise<T>): Promise<T> {
    const copy = new Map(this.#data);
    const result = await run({
      users: this.#part("users", () => copy),
      teams: this.#part("teams", () => copy),
    });
    await this.before("commit");
    this.#data = copy;
    return result;
  }

  /** What is kept under a key. */
  peek(key: string): unknown {
    return this.#data.get(key);
  }

  poke(key: string, value: unknown): void {
    this.#data.set(key, value);
  }

  #part(name: string, data: () => Map<string, unknown>): Names {
    const tell = async (call: string): Promise<void> => {
      this.calls.push(call);
      await this.before(call);
    };
    return {
      get: async (id) => {
        await tell(`${name}.get ${id}`);
        return data().get(`${name}/${id}`);
      },
      save: async (id, value) => {
        await tell(`${name}.save ${id}`);
        data().set(`${name}/${id}`, value);
      },
    };
  }
}

interface World {
  readonly old: Memory;
  readonly next: Memory;
  readonly backend: DualBackend<Parts>;
  readonly problems: MoveProblem[];
}

const METHODS = { reads: ["get"], writes: ["save"] } as const;

function world(stages: { readonly users?: MoveStage; readonly teams?: MoveStage }): World {
  const [old, next] = [new Memory(), new Memory()];
  const problems: MoveProblem[] = [];
  const backend = dualWrite<Parts>({
    old,
    next,
    parts: { users: METHODS, teams: METHODS },
    stages,
    onProblem: (problem) => problems.push(problem),
  });
  return { old, next, backend, problems };
}

describe("a move from one backend to another", () => {
  it.each([
    ["old", ["old"], "old"],
    ["shadow", ["old", "next"], "old"],
    ["reversed", ["old", "next"], "next"],
    ["new", ["next"], "next"],
  ] as const)(
    "writes and answers at the stage %s as its table says",
    async (stage, written, who) => {
      const { old, next, backend, problems } = world({ users: stage });

      await backend.users.save("a", { name: "A" });
      old.poke("users/a", { name: "A", from: "old" });
      next.poke("users/a", { name: "A", from: "next" });
      const answer = await backend.users.get("a");
      await backend.settled();

      expect(answer).toEqual({ name: "A", from: who });
      const sides = { old, next };
      for (const side of ["old", "next"] as const) {
        expect(sides[side].calls.includes("users.save a")).toBe(written.includes(side as never));
      }
      expect(problems.map(({ detail }) => detail)).toEqual(written.length === 2 ? ["from"] : []);
    },
  );

  it("moves one part at a time", async () => {
    const { old, next, backend } = world({ users: "new" });

    await backend.users.save("a", 1);
    await backend.teams.save("b", 2);

    expect([next.peek("users/a"), old.peek("users/a")]).toEqual([1, undefined]);
    expect([next.peek("teams/b"), old.peek("teams/b")]).toEqual([undefined, 2]);
  });

  it("says how many answers were the same, and that the next stage may come", async () => {
    const { backend } = world({ users: "shadow" });

    await backend.users.save("a", { list: [1, { deep: true }], day: new Date(0) });
    await backend.users.get("a");
    await backend.users.get("nobody");
    await backend.settled();

    expect(backend.moveReport().users).toEqual({
      stage: "shadow",
      isReady: true,
      equal: 2,
      different: 0,
      undecided: 0,
      readsFailed: 0,
      mirrored: 1,
      writesFailed: 0,
    });
    expect(backend.moveReport().teams).toMatchObject({ stage: "old", isReady: false });
  });

  it("tells where an answer differs, and nothing of what it says", async () => {
    const { old, next, backend, problems } = world({ users: "shadow" });
    old.poke("users/a", [{ id: 1 }, { id: 2, token: "s3cret" }]);
    next.poke("users/a", [{ id: 1 }, { id: 2, token: "other" }]);

    await backend.users.get("a");
    await backend.settled();

    expect(problems).toEqual([
      { part: "users", method: "get", kind: "different", detail: "1.token" },
    ]);
    expect(backend.moveReport().users).toMatchObject({ isReady: false, different: 1 });
  });

  it("keeps from the caller what the backend that follows gets wrong", async () => {
    const { next, backend, problems } = world({ users: "shadow" });
    next.before = () => {
      throw new Error("disk full");
    };

    await backend.users.save("a", 1);
    const answer = await backend.users.get("a");
    await backend.settled();

    expect(answer).toBe(1);
    expect(problems.map(({ kind }) => kind)).toEqual(["write-failed", "read-failed"]);
    expect(backend.moveReport().users).toMatchObject({ writesFailed: 1, readsFailed: 1 });
  });

  it("gives the caller the error of the one that answers, and leaves the other one alone", async () => {
    const { old, next, backend } = world({ users: "shadow" });
    old.before = () => {
      throw new Error("locked");
    };

    await expect(backend.users.save("a", 1)).rejects.toThrow("locked");

    expect(next.calls).toEqual([]);
  });

  it("does not judge an answer that a write has come in between", async () => {
    const { next, backend, problems } = world({ users: "shadow" });
    await backend.users.save("a", 1);
    const gate = Promise.withResolvers<void>();
    next.before = (call) => (call === "users.get a" ? gate.promise : undefined);

    await backend.users.get("a");
    await backend.users.save("a", 2);
    gate.resolve();
    await backend.settled();

    expect(problems).toEqual([]);
    expect(backend.moveReport().users).toMatchObject({ equal: 0, undecided: 1 });
  });

  it("gives both backends the writes in one order", async () => {
    const { old, next, backend } = world({ users: "shadow" });
    const gate = Promise.withResolvers<void>();
    next.before = () => gate.promise;

    const writes = [backend.users.save("a", 1), backend.users.save("a", 2)];
    gate.resolve();
    await Promise.all(writes);

    expect([old.peek("users/a"), next.peek("users/a")]).toEqual([2, 2]);
    expect(old.calls).toEqual(["users.save a", "users.save a"]);
  });

  it("compares no more than sixteen answers at once", async () => {
    const { next, backend } = world({ users: "shadow" });
    const gate = Promise.withResolvers<void>();
    next.before = () => gate.promise;

    for (let number = 0; number < 20; number++) await backend.users.get("a");
    gate.resolve();
    await backend.settled();

    expect(backend.moveReport().users).toMatchObject({ equal: 16, undecided: 4 });
  });

  it("refuses to let a thousand writes wait for a backend that hangs", async () => {
    const { next, backend } = world({ users: "shadow" });
    const gate = Promise.withResolvers<void>();
    next.before = () => gate.promise;

    const writes = Array.from({ length: 1_000 }, () => backend.users.save("a", 1));

    await expect(backend.users.save("a", 1)).rejects.toMatchObject({ code: "BULKHEAD_FULL" });
    gate.resolve();
    await Promise.all(writes);
    await backend.users.save("a", 2);
  });
});

describe("a transaction during a move", () => {
  it.each(["shadow", "reversed"] as const)(
    "is followed when it is committed, at the stage %s",
    async (stage) => {
      const { old, next, backend } = world({ users: stage, teams: stage });
      const follower = stage === "shadow" ? next : old;

      const result = await backend.withTransaction(async ({ users, teams }) => {
        await users.save("a", 1);
        await teams.save("b", await users.get("a"));
        expect(follower.calls).toEqual([]);
        return "done";
      });

      expect(result).toBe("done");
      for (const side of [old, next]) {
        expect([side.peek("users/a"), side.peek("teams/b")]).toEqual([1, 1]);
      }
      expect(backend.moveReport()).toMatchObject({
        users: { mirrored: 1 },
        teams: { mirrored: 1 },
      });
    },
  );

  it("leaves nothing in either backend when it fails", async () => {
    const { old, next, backend } = world({ users: "shadow" });

    const failed = backend.withTransaction(async ({ users }) => {
      await users.save("a", 1);
      throw new Error("changed my mind");
    });

    await expect(failed).rejects.toThrow("changed my mind");
    expect([old.peek("users/a"), next.peek("users/a")]).toEqual([undefined, undefined]);
    await backend.users.save("a", 2);
    expect(next.peek("users/a")).toBe(2);
  });

  it("stands when the backend that follows cannot commit, which is told", async () => {
    const { old, next, backend, problems } = world({ users: "shadow" });
    next.before = (call) => {
      if (call === "commit") throw new Error("disk full");
    };

    await backend.withTransaction(({ users }) => users.save("a", 1));

    expect([old.peek("users/a"), next.peek("users/a")]).toEqual([1, undefined]);
    expect(problems).toEqual([
      { part: "users", method: "withTransaction", kind: "write-failed", detail: "disk full" },
    ]);
  });

  it("spans parts that have moved and parts that have not", async () => {
    const { old, next, backend } = world({ users: "new", teams: "shadow" });

    await backend.withTransaction(async ({ users, teams }) => {
      await users.save("a", 1);
      await teams.save("b", 2);
    });
    const failed = backend.withTransaction(async ({ users, teams }) => {
      await users.save("a", 3);
      await teams.save("b", 4);
      throw new Error("changed my mind");
    });

    await expect(failed).rejects.toThrow("changed my mind");
    expect([old.peek("users/a"), next.peek("users/a")]).toEqual([undefined, 1]);
    expect([old.peek("teams/b"), next.peek("teams/b")]).toEqual([2, 2]);
  });

  it("refuses a write past it, which would wait for itself", async () => {
    const { backend } = world({ users: "shadow" });

    const stuck = backend.withTransaction(() => backend.users.save("a", 1));

    await expect(stuck).rejects.toMatchObject({ code: "TRANSACTION_REENTRY" });
  });
});

describe("what cannot be moved", () => {
  it.each([
    ["a stage that there is not", { stages: { users: "later" } }, "later"],
    ["a part that there is not", { stages: { user: "old" } }, 'Did you mean "users"'],
    [
      "a method that a backend lacks",
      { parts: { users: { reads: ["find"], writes: [] } } },
      "find",
    ],
    ["a backend without transactions", { next: { users: {} } }, "withTransaction"],
    ["an option that there is not", { olds: 1 }, "olds"],
  ])("is refused at once: %s", (_, wrong, message) => {
    const given = { old: new Memory(), next: new Memory(), parts: { users: METHODS }, ...wrong };

    expect(() => dualWrite(given as never)).toThrow(message);
  });
});
