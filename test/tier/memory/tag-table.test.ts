import { describe, expect, it } from "vitest";
import { isDropped, TagTable } from "../../../src/tier/memory/tag-table.ts";

const [FIRST, SECOND] = [{ hash: 1 }, { hash: 2 }];
const [OLD, FRESH] = [{ hash: 3 }, { hash: 4 }];

describe("a table of tags", () => {
  it("counts a dropped tag until the last entry has let it go", () => {
    const table = new TagTable<{ readonly hash: number }>(() => undefined);
    const first = table.tagsOf(["red", "red", "blue"]);
    const second = table.tagsOf(["red"]);
    table.link(FIRST, first);
    table.link(SECOND, second);

    table.drop("red");
    const counts = [table.dropped];
    table.unlink(FIRST, first);
    counts.push(table.dropped);
    table.unlink(SECOND, second);
    counts.push(table.dropped);

    expect(counts).toEqual([1, 1, 0]);
    expect(table.size).toBe(0);
  });

  it("has no part in it for an entry with a new tag of the same name", () => {
    const table = new TagTable<{ readonly hash: number }>(() => undefined);
    const old = table.tagsOf(["red"]);
    table.link(OLD, old);
    table.drop("red");
    const fresh = table.tagsOf(["red"]);
    table.link(FRESH, fresh);

    table.unlink(FRESH, fresh);

    expect([isDropped(old), isDropped(fresh)]).toEqual([true, false]);
    expect(table.dropped).toBe(1);
  });

  it("has one entry bear the bytes of a tag, and the next one when that goes", () => {
    const borne = new Map<object, number>();
    const table = new TagTable<{ readonly hash: number }>((entry, bytes) =>
      borne.set(entry, (borne.get(entry) ?? 0) + bytes),
    );
    const alone = table.bytesFor(["red"]);
    const red = table.tagsOf(["red"]);
    table.link(FIRST, red);
    const shared = table.bytesFor(["red"]);
    table.link(SECOND, red);

    const set = borne.get(FIRST) ?? 0;
    table.unlink(FIRST, red);

    expect(set).toBeGreaterThan(0);
    expect(borne.get(SECOND)).toBe(alone - shared + set);
    expect([...table.entriesOf("red")]).toEqual([SECOND]);
  });
});
