import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryTable } from "../../../src/tier/memory/entry-table.ts";
import { type EntryOwner, MemoryEntry } from "../../../src/tier/memory/memory-entry.ts";

const OWNER: EntryOwner = {
  evicted: () => undefined,
  isCounted: () => true,
};
const TIER_ENTRY = {
  value: undefined,
  category: "c",
  createdMs: 0,
  freshUntilMs: 0,
  keepUntilMs: 0,
  slidingMs: 0,
  tags: [],
  loadMs: 0,
  etag: undefined,
};

function entry(key: string, changeable = false): MemoryEntry {
  const own = { value: `value of ${key}`, changeable, etag: undefined, bytes: 1 };
  const times = { freshUntilMs: 0, endsMs: 0, hash: 0 };
  return new MemoryEntry(OWNER, key, { key, ...TIER_ENTRY }, own, undefined, times);
}

/** What the lists hold of an entry. */
function row(table: EntryTable, key: string): unknown {
  const slot = table.slotOf(key) ?? Number.NaN;
  const { entries, values, settled, ticks } = table;
  return [entries[slot], values[slot], settled[slot], ticks[slot]];
}

const step = fc.record({
  do: fc.constantFrom("add", "add", "remove", "attend", "settle"),
  key: fc.nat(400).map((number) => `key ${number}`),
  tick: fc.nat(1_000),
});

describe("a table of entries", () => {
  it("keeps what belongs together in one slot, however entries come and go", () => {
    fc.assert(
      fc.property(fc.array(step, { size: "max", maxLength: 800 }), (steps) => {
        const table = new EntryTable(() => undefined);
        const model = new Map<string, [MemoryEntry, unknown, unknown, number]>();
        for (const { do: what, key, tick } of steps) {
          const known = model.get(key);
          if (known === undefined) {
            if (what !== "add") continue;
            const added = entry(key, tick % 7 === 0);
            table.add(added);
            model.set(key, [added, added.changeable ? undefined : added.value, undefined, 0]);
          } else if (what === "remove") {
            table.remove(known[0]);
            model.delete(key);
          } else if (what === "attend") {
            table.attendAt(known[0], tick);
            known[3] = tick;
          } else if (what === "settle") {
            known[2] = Promise.resolve(tick);
            table.settled[known[0].slot] = known[2] as Promise<unknown>;
          }
        }

        expect([...table.all()].map(({ key }) => key)).toEqual([...model.keys()]);
        for (const [key, expected] of model) expect(row(table, key)).toEqual(expected);
        const { entries, values, settled, size } = table;
        expect([size, entries.length, values.length, settled.length]).toEqual(
          new Array(4).fill(model.size),
        );
      }),
    );
  });

  it("gives back the room of many when few are left", () => {
    const table = new EntryTable(() => undefined);
    const all = Array.from({ length: 10_000 }, (_, index) => entry(`key ${index}`));
    for (const one of all) table.add(one);
    const most = table.ticks.length;

    for (const one of all.slice(10)) table.remove(one);

    expect(most).toBeLessThanOrEqual(20_000);
    expect(table.ticks.length).toBeLessThanOrEqual(128);
    expect([...table.all()]).toEqual(all.slice(0, 10));
  });

  it("leaves a newer entry of the same slot alone", () => {
    const table = new EntryTable(() => undefined);
    const gone = entry("a");
    const newer = entry("a");
    table.add(gone);
    table.remove(gone);
    table.add(newer);

    table.attendAt(gone, 5);
    table.remove(gone);

    expect(table.get("a")).toBe(newer);
    expect(table.ticks[0]).toBe(0);
  });

  it("goes on with a walk while entries go and come", () => {
    const table = new EntryTable(() => undefined);
    const all = ["a", "b", "c", "d"].map((key) => entry(key));
    for (const one of all) table.add(one);

    const met: string[] = [];
    for (const one of table.all()) {
      met.push(one.key);
      if (one.key === "b") table.remove(all[0] as MemoryEntry);
      if (one.key === "c") table.add(entry("e"));
    }

    expect(met).toEqual(["a", "b", "c", "d", "e"]);
  });
});
