import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { newPath, open, Source, until } from "./journal-support.ts";

describe("two caches with one journal", () => {
  it("have one of them save, in the order of both, and neither refuses for ever", async () => {
    const clock = new FakeClock();
    const path = newPath();
    const source = new Source();
    const [one, two] = [open({ clock, path, source }), open({ clock, path, source })];

    for (let round = 0; round < 50; round++) {
      await (round % 2 === 0 ? one : two).mine.set(`k${round % 3}`, round);
    }
    await until(
      () => source.values.get("k1") === 49,
      () => clock.advance(200),
    );
    await until(() => source.values.get("k0") === 48 && source.values.get("k2") === 47);

    const seen = new Map<string, number>();
    for (const change of source.batches.flat()) {
      const value = change.kind === "set" ? (change.value as number) : 0;
      expect(value).toBeGreaterThanOrEqual(seen.get(change.key) ?? 0);
      seen.set(change.key, value);
    }
  });

  it("count what the other has saved", async () => {
    const clock = new FakeClock();
    const path = newPath();
    const source = new Source();
    const [one, two] = [open({ clock, path, source }), open({ clock, path, source })];
    await one.mine.set("leads", 1);
    await one.mine.flush();
    const batch = Array.from({ length: 1_000 }, (_, index) => [`k${index}`, index] as const);

    for (let round = 0; round < 12; round++) {
      await two.mine.setMany(batch);
      await one.mine.flush();
      clock.advance(5_000);
      await two.mine.flush();
      await one.mine.flush();
    }

    expect(source.values.size).toBe(1_001);
  });

  it("take over at once from one that is closed", async () => {
    const clock = new FakeClock();
    const path = newPath();
    const [first, second] = [new Source(), new Source()];
    const one = open({ clock, path, source: first });
    const two = open({ clock, path, source: second });
    await one.mine.set("a", 1);
    await one.mine.flush();

    await one.cache.close();
    await two.mine.set("a", 2);
    await two.mine.flush();

    expect(second.values.get("a")).toBe(2);
  });

  it("take over from one that died before the clock was set back", async () => {
    const path = newPath();
    const clock = new FakeClock();
    const ahead = new FakeClock(clock.nowMs() + 3_600_000);
    const [dead, source] = [new Source(), new Source()];
    const one = open({ clock: ahead, path, source: dead });
    await one.mine.set("a", 1);
    await one.mine.flush();

    const two = open({ clock, path, source });
    await two.mine.set("b", 2);
    await two.mine.flush();

    expect(source.values.get("b")).toBe(2);
  });

  it("leave the lease to one that lives", async () => {
    const path = newPath();
    const clock = new FakeClock();
    const [living, source] = [new Source(), new Source()];
    const one = open({ clock, path, source: living });
    await one.mine.set("a", 1);
    await one.mine.flush();

    const two = open({ clock, path, source });
    await two.mine.set("b", 2);
    await two.mine.flush();

    expect(source.calls).toBe(0);
  });
});
