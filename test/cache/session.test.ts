import { describe, expect, it } from "vitest";
import { session } from "../../src/cache/session.ts";
import { errorOf, openTiered, THROWS } from "./support.ts";

const defaults = { width: 800, sidebar: true, week: null as number | null };

describe("a session", () => {
  it("is what was saved, over the defaults", async () => {
    const { cache } = openTiered();
    const ui = session(cache, "main", defaults);
    expect(await ui.load()).toEqual(defaults);

    expect(await ui.save({ width: 1_024 })).toEqual({ ...defaults, width: 1_024 });
    expect(await ui.save({ sidebar: false, week: 7 })).toEqual({
      width: 1_024,
      sidebar: false,
      week: 7,
    });
    expect(await ui.load()).toEqual({ width: 1_024, sidebar: false, week: 7 });
    await ui.reset();

    expect(await ui.load()).toEqual(defaults);
  });

  it("outlives the program by a tier that does, and never ends", async () => {
    const { cache, memory, clock } = openTiered();
    await session(cache, "main", defaults).save({ width: 1 });

    await memory.clear();
    clock.advance(10 * 365 * 86_400_000);

    expect(await session(cache, "main", defaults).load()).toEqual({ ...defaults, width: 1 });
    expect(await session(cache, "other", defaults).load()).toEqual(defaults);
  });

  it("loses nothing of changes made at the same time", async () => {
    const { cache } = openTiered();
    const ui = session(cache, "main", defaults);

    await Promise.all([ui.save({ width: 1 }), ui.save({ sidebar: false }), ui.save({ week: 3 })]);

    expect(await ui.load()).toEqual({ width: 1, sidebar: false, week: 3 });
  });

  it("loses nothing of two objects of one name either, which save at the same time", async () => {
    const { cache } = openTiered();
    const [one, other] = [session(cache, "main", defaults), session(cache, "main", defaults)];

    await Promise.all([one.save({ width: 1 }), other.save({ sidebar: false })]);

    expect(await one.load()).toEqual({ width: 1, sidebar: false, week: null });
    await Promise.all([other.save({ width: 2 }), one.reset(), other.save({ week: 3 })]);
    expect(await one.load()).toEqual({ ...defaults, week: 3 });
  });

  it("has a key back to its default when it is saved as undefined", async () => {
    const { cache } = openTiered();
    const ui = session<{ width?: number; note?: string | undefined }>(cache, "main", {
      width: 800,
    });
    await ui.save({ width: 1_024, note: "x" });

    expect(await ui.save({ width: undefined, note: undefined })).toEqual({ width: 800 });

    expect(Object.entries(await ui.load())).toEqual([["width", 800]]);
  });

  it("has defaults of its own, which nobody changes for others", async () => {
    const { cache } = openTiered();
    const given = { tabs: ["a"], seen: new Map([["a", 1]]) };
    const ui = session(cache, "main", given);
    given.tabs.push("b");

    const state = await ui.load();
    expect(() => state.tabs.push("c")).toThrow(TypeError);
    state.seen.set("c", 1);
    (await ui.save({})).seen.set("d", 1);
    await ui.reset();

    expect(await ui.load()).toEqual({ tabs: ["a"], seen: new Map([["a", 1]]) });
  });

  it("is refused with defaults that no category could keep", async () => {
    const { cache } = openTiered();
    const make = async (): Promise<unknown> => session(cache, "main", { run: () => 1 });

    expect((await errorOf(make())).code).toBe("INVALID_ARGUMENT");
  });

  it("goes on after a change that could not be saved", async () => {
    const { cache, lower } = openTiered({ strict: true });
    const ui = session(cache, "main", defaults);
    lower.fault = THROWS;

    await expect(ui.save({ width: 1 })).rejects.toThrow();
    lower.fault = { kind: "none" };

    expect((await ui.save({ sidebar: false })).sidebar).toBe(false);
  });
});
