import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel, type WheelNode } from "../../../src/tier/memory/timer-wheel.ts";

const DAY_MS = 86_400_000;

interface Node extends WheelNode {
  readonly id: number;
  endsMs: number;
}

function node(id: number, endsMs: number): Node {
  return { id, endsMs, wheelPrevious: undefined, wheelNext: undefined };
}

/** Spans of all levels, and the edges between them. */
const aheadMs = fc.oneof(
  fc.integer({ min: -5_000, max: 5_000 }),
  fc.integer({ min: 0, max: 70_000 }),
  fc.integer({ min: 0, max: 5 * DAY_MS }),
  fc.integer({ min: 0, max: 400 * DAY_MS }),
  fc.constantFrom(0, 1, 1_023, 1_024, 65_535, 65_536, 2 ** 22, 2 ** 27, 2 ** 28, 2 ** 33, 2 ** 34),
  fc.double({ min: 0, max: 3_000, noNaN: true }),
);
const step = fc.oneof(
  fc.record({ do: fc.constant("schedule" as const), ms: aheadMs }),
  fc.record({ do: fc.constant("cancel" as const), ms: fc.nat(100) }),
  fc.record({ do: fc.constant("move" as const), ms: aheadMs }),
  fc.record({ do: fc.constant("advance" as const), ms: aheadMs.map(Math.abs) }),
  fc.record({ do: fc.constant("pause" as const), ms: fc.nat(10_000) }),
);

describe("a timer wheel", () => {
  it("gives out what has ended, all of it and nothing else, like a list that is searched", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 35 }),
        fc.array(step, { size: "+1" }),
        (start, steps) => {
          let nowMs = start;
          const wheel = new TimerWheel<Node>(nowMs);
          const living = new Map<number, Node>();
          let ids = 0;
          const nth = (index: number): Node | undefined =>
            [...living.values()][index % living.size];
          for (const { do: what, ms } of steps) {
            const one = nth(ms);
            if (what === "schedule") {
              const made = node(ids++, nowMs + ms);
              living.set(made.id, made);
              wheel.schedule(made);
            } else if (what === "cancel" && one !== undefined) {
              wheel.cancel(one);
              wheel.cancel(one);
              living.delete(one.id);
            } else if (what === "move" && one !== undefined) {
              wheel.cancel(one);
              one.endsMs = nowMs + ms;
              wheel.schedule(one);
            } else if (what === "advance" || what === "pause") {
              nowMs += ms;
              const due = [...living.values()].filter(({ endsMs }) => endsMs <= Math.floor(nowMs));
              const given: number[] = [];
              for (const ended of wheel.advance(nowMs)) {
                if (ended === undefined) continue;
                given.push(ended.id);
                living.delete(ended.id);
                // Somebody sets an entry while the sweep pauses, and drops another.
                if (what === "pause" && given.length % 2 === 1) {
                  const made = node(ids++, nowMs + 1 + ms);
                  living.set(made.id, made);
                  wheel.schedule(made);
                }
              }
              expect(given.sort((a, b) => a - b)).toEqual(
                due.map(({ id }) => id).sort((a, b) => a - b),
              );
            }
          }
          const rest = [...wheel.advance(nowMs + 2 ** 36)].map((each) => each?.id ?? -1);
          for (let pass = 0; pass < 5; pass++) {
            rest.push(...[...wheel.advance(nowMs + 2 ** 36 + pass)].map((each) => each?.id ?? -1));
          }
          expect(rest.sort((a, b) => a - b)).toEqual([...living.keys()].sort((a, b) => a - b));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("keeps nothing that never ends", () => {
    const wheel = new TimerWheel<Node>(0);
    const never = node(1, Number.POSITIVE_INFINITY);

    wheel.schedule(never);

    expect(never.wheelNext).toBeUndefined();
    expect([...wheel.advance(2 ** 40)]).toEqual([]);
  });

  it("looks at an entry a few times only, however long it lives", () => {
    const wheel = new TimerWheel<Node>(0);
    let looks = 0;
    const watched = node(1, 90 * DAY_MS);
    const endsMs = watched.endsMs;
    Object.defineProperty(watched, "endsMs", { get: () => looks++ * 0 + endsMs });
    wheel.schedule(watched);
    looks = 0;

    let given = 0;
    for (let nowMs = 0; nowMs <= 91 * DAY_MS; nowMs += 60_000) {
      for (const _ of wheel.advance(nowMs)) given++;
    }

    expect(given).toBe(1);
    expect(looks).toBeLessThan(40);
  });

  it("pauses while it moves what has not ended, and loses none of it", () => {
    const wheel = new TimerWheel<Node>(0);
    for (let id = 0; id < 1_000; id++) wheel.schedule(node(id, 100_000));

    const moved = [...wheel.advance(66_000)];
    const ended = [...wheel.advance(100_000)].filter((each) => each !== undefined);

    expect(moved).toEqual([undefined, undefined, undefined]);
    expect(ended).toHaveLength(1_000);
  });

  it("does not go back with a clock that does", () => {
    const wheel = new TimerWheel<Node>(1_000_000);
    wheel.schedule(node(1, 1_000_500));

    expect([...wheel.advance(500)]).toEqual([]);
    expect([...wheel.advance(1_000_500)].map((each) => each?.id)).toEqual([1]);
  });
});
