import { describe, expect, it } from "vitest";
import { Outbox, type OutboxTarget, type WideChange } from "../../src/cache/outbox.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import type { TierEntry } from "../../src/tier/tier.ts";
import { stateOf, turns } from "./support.ts";

const NEVER = Number.POSITIVE_INFINITY;

function entry(key: string, value: unknown = key, more: Partial<TierEntry> = {}): TierEntry {
  return {
    key,
    value,
    category: "default",
    createdMs: 0,
    freshUntilMs: NEVER,
    keepUntilMs: NEVER,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
    ...more,
  };
}

/** A target that writes down what it is sent, and fails or waits when told to. */
class Target implements OutboxTarget {
  readonly sent: string[] = [];
  error: Error | undefined;
  wait: Promise<void> | undefined;

  async setMany(entries: readonly TierEntry[]): Promise<void> {
    await this.#take(`set ${entries.map(({ key, value }) => `${key}=${value}`).join()}`);
  }

  async dropMany(keys: readonly string[]): Promise<void> {
    await this.#take(`drop ${keys.join()}`);
  }

  async expireMany(keys: readonly string[], atMs: number): Promise<void> {
    await this.#take(`expire ${keys.join()} at ${atMs}`);
  }

  async wide(change: WideChange): Promise<void> {
    await this.#take(change.kind === "tags" ? `tags ${change.tags}` : `prefix ${change.prefix}`);
  }

  async #take(what: string): Promise<void> {
    await this.wait;
    if (this.error !== undefined) throw this.error;
    this.sent.push(what);
  }
}

function open(max?: number): { box: Outbox; target: Target; clock: FakeClock } {
  const clock = new FakeClock();
  const target = new Target();
  return { box: new Outbox(target, clock, "", max), target, clock };
}

/** An outbox whose target has failed once, so that its changes stay. */
async function openBroken(max?: number): Promise<ReturnType<typeof open>> {
  const opened = open(max);
  opened.target.error = new Error("down");
  opened.box.drop("first");
  await turns();
  return opened;
}

describe("an outbox", () => {
  it("sends the changes of a turn together", async () => {
    const { box, target } = open();

    box.set(entry("a"));
    box.drop("b");
    box.set(entry("c"));
    await box.flushed();

    expect(target.sent).toEqual(["drop b", "set a=a,c=c"]);
    expect(box.size).toBe(0);
  });

  it("has one change for each key, the newest", async () => {
    const { box, target } = open();

    box.set(entry("a", 1));
    box.drop("a");
    box.set(entry("a", 2));
    expect(box.size).toBe(1);
    expect(box.pending("a")).toMatchObject({ kind: "set", entry: { value: 2 } });
    await box.flushed();

    expect(target.sent).toEqual(["set a=2"]);
  });

  it("sends at most 500 changes in a call", async () => {
    const { box, target } = open();

    for (let index = 0; index < 1_200; index++) box.drop(`k${index}`);
    await box.flushed();

    expect(target.sent.map((call) => call.split(",").length)).toEqual([500, 500, 200]);
  });

  it("lets no change of a key pass a drop of many", async () => {
    const { box, target } = open();

    box.set(entry("a", 1, { tags: ["t"] }));
    box.set(entry("b", 1));
    box.wide({ kind: "tags", tags: ["t"] });
    box.set(entry("a", 2, { tags: ["t"] }));
    await box.flushed();

    // What "a" would have replaced is older still: it goes, too, unless it is set again.
    expect(target.sent).toEqual(["set b=1", "tags t", "set a=2"]);
  });

  it("drops what a set would have replaced when its tag is dropped on the way", async () => {
    const { box, target } = open();

    box.set(entry("a", 1, { tags: ["t"] }));
    box.wide({ kind: "tags", tags: ["t"] });
    expect(box.pending("a")).toEqual({ kind: "drop" });
    await box.flushed();

    expect(target.sent).toEqual(["drop a", "tags t"]);
  });

  it("drops what a set would have replaced when its life ends on the way", async () => {
    const { box, target, clock } = await openBroken();
    box.set(entry("a", 2, { keepUntilMs: clock.nowMs() + 10 }));

    target.error = undefined;
    clock.advance(250);
    await turns();

    expect(target.sent).toEqual(["drop first,a"]);
  });

  it("covers keys by a prefix and by a clear until they have arrived", async () => {
    const { box, target, clock } = await openBroken();
    box.set(entry("a:1"));
    box.wide({ kind: "prefix", prefix: "a:" });
    box.set(entry("b"));

    expect(box.pending("a:1")).toEqual({ kind: "drop" });
    expect(box.pending("a:never seen")).toEqual({ kind: "drop" });
    expect(box.pending("b")?.kind).toBe("set");
    box.wide({ kind: "prefix", prefix: "" });
    expect(box.pending("b")).toEqual({ kind: "drop" });
    expect(box.size).toBe(1);

    target.error = undefined;
    clock.advance(250);
    await turns();
    expect(target.sent).toEqual(["prefix "]);
    expect(box.pending("b")).toBeUndefined();
  });

  it("knows entries that a drop of tags will remove", async () => {
    const { box } = await openBroken();
    box.wide({ kind: "tags", tags: ["t", "u"] });

    expect(box.dropsTags).toBe(true);
    expect(box.isDoomed(entry("a", 1, { tags: ["u"] }))).toBe(true);
    expect(box.isDoomed(entry("a", 1, { tags: ["v"] }))).toBe(false);
    expect(box.isDoomed(entry("a"))).toBe(false);
  });

  it("expires what waits to be set, leaves what waits to be dropped, and sends the rest", async () => {
    const { box, target, clock } = await openBroken();
    box.set(entry("set"));
    box.drop("dropped");

    for (const key of ["set", "dropped", "there"]) box.expire(key, 5);

    expect(box.pending("set")).toMatchObject({ kind: "set", entry: { freshUntilMs: 5 } });
    expect(box.pending("dropped")).toEqual({ kind: "drop" });
    expect(box.pending("there")).toEqual({ kind: "expire", atMs: 5 });
    target.error = undefined;
    clock.advance(250);
    await turns();
    expect(target.sent).toEqual(["drop first,dropped", "set set=set", "expire set,there at 5"]);
  });

  it("tries again after pauses that double up to half a minute", async () => {
    const { box, target, clock } = await openBroken();
    const pausesMs: number[] = [];
    let lastMs = clock.monotonicMs();
    target.dropMany = async () => {
      pausesMs.push(clock.monotonicMs() - lastMs);
      lastMs = clock.monotonicMs();
      throw new Error("down");
    };

    for (let step = 0; step < 2_000; step++) {
      clock.advance(50);
      await turns(1);
    }

    const doubled = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000];
    expect(pausesMs).toEqual([...doubled, 30_000, 30_000]);
    expect(box.size).toBe(1);
  });

  it("begins with the short pause again after a success", async () => {
    const { box, target, clock } = await openBroken();
    clock.advance(250);
    await turns();
    target.error = undefined;
    clock.advance(500);
    await turns();
    expect(target.sent).toEqual(["drop first"]);

    target.error = new Error("down again");
    box.drop("a");
    await turns();
    target.error = undefined;
    clock.advance(250);
    await turns();

    expect(target.sent).toEqual(["drop first", "drop a"]);
  });

  it("tries at once when it is woken", async () => {
    const { box, target } = await openBroken();
    target.error = undefined;

    box.wake();
    await turns();

    expect(target.sent).toEqual(["drop first"]);
  });

  it("drops the fullest category when too many wait, and leaves the others", async () => {
    const { box, target, clock } = await openBroken(10);
    box.set(entry("n/1/few/a"));
    box.drop("n/1/few/b");
    for (let key = 0; key < 7; key++) box.set(entry(`n/1/many/${key}`));
    box.wide({ kind: "prefix", prefix: "n/1/many/x:" });

    box.set(entry("n/1/few/c"));

    expect(box.size).toBe(5);
    expect(box.pending("n/1/many/1")).toEqual({ kind: "drop" });
    target.error = undefined;
    clock.advance(250);
    await turns();
    expect(target.sent).toEqual([
      "drop first,n/1/few/b",
      "set n/1/few/a=n/1/few/a",
      "prefix n/1/many/",
      "set n/1/few/c=n/1/few/c",
    ]);
  });

  it("drops everything when too many categories have too many", async () => {
    const { box, target, clock } = await openBroken(100);
    for (let key = 0; key < 101; key++) box.set(entry(`n/1/${key}/a`));

    expect(box.size).toBeLessThan(10);
    target.error = undefined;
    clock.advance(250);
    await turns();
    expect(target.sent[0]).toBe("prefix ");
  });

  it("becomes one drop of all its keys when too much waits", async () => {
    const { box, target, clock } = await openBroken(10);
    for (let index = 0; index < 9; index++) box.set(entry(`k${index}`));
    expect(box.size).toBe(10);

    box.set(entry("one too many"));

    expect(box.size).toBe(1);
    expect(box.pending("anything")).toEqual({ kind: "drop" });
    box.set(entry("later"));
    target.error = undefined;
    clock.advance(250);
    await turns();
    expect(target.sent).toEqual(["prefix ", "set later=later"]);
  });

  it("leaves out values that do not fit into memory while the tier is down, and drops their keys", async () => {
    const { box, target } = await openBroken();
    const large = (): string => "x".repeat(10_000_000);
    for (let at = 0; at < 12; at++) box.set(entry(`${at}`, large()));
    box.set(entry("0", "small"));
    box.set(entry("11", large()));

    expect(box.keysToSet({})).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "0", "11"]);
    expect(box.pending("9")).toEqual({ kind: "drop" });

    target.error = undefined;
    box.wake();
    await box.flushed();
    expect(target.sent[0]).toBe("drop first,9,10");
  });

  it("keeps a change that was overtaken while it was on its way", async () => {
    const { box, target } = open();
    const gate = Promise.withResolvers<void>();
    target.wait = gate.promise;
    box.set(entry("a", 1));
    await turns();

    box.set(entry("a", 2));
    expect(box.pending("a")).toMatchObject({ entry: { value: 2 } });
    gate.resolve();
    await box.flushed();

    expect(target.sent).toEqual(["set a=1", "set a=2"]);
    expect(box.size).toBe(0);
  });

  it("tells who waits for a change as soon as that one has arrived", async () => {
    const { box, target } = open();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    target.wait = gates[0].promise;
    box.drop("a");
    const first = box.flushed();
    await turns();
    box.drop("b");
    const second = box.flushed();

    target.wait = gates[1].promise;
    gates[0].resolve();

    expect(await first).toBe(true);
    expect(await stateOf(second)).toBe("pending");
    gates[1].resolve();
    expect(await second).toBe(true);
  });

  it("tells who waits that the tier cannot have it now", async () => {
    const { box, target } = open();
    target.error = new Error("down");

    box.drop("a");
    expect(await box.flushed()).toBe(false);
    box.drop("b");

    expect(await box.flushed()).toBe(false);
    expect(box.size).toBe(2);
  });

  it("lists the keys that wait to be set", async () => {
    const { box } = await openBroken();
    box.set(entry("a:1", 1, { tags: ["t"] }));
    box.set(entry("b:1"));
    box.drop("a:2");

    expect(box.keysToSet({})).toEqual(["a:1", "b:1"]);
    expect(box.keysToSet({ prefix: "b" })).toEqual(["b:1"]);
    expect(box.keysToSet({ tag: "t" })).toEqual(["a:1"]);
  });

  it("tries once more when it is closed, and says what is lost", async () => {
    const { box, target, clock } = await openBroken();
    box.set(entry("a"));
    expect(await box.close()).toBe(2);

    clock.advance(60_000);
    await turns();
    expect(target.sent).toEqual([]);
    expect(await box.flushed()).toBe(false);

    const other = await openBroken();
    other.target.error = undefined;
    expect(await other.box.close()).toBe(0);
    expect(other.target.sent).toEqual(["drop first"]);
  });
});
