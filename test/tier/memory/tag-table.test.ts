import { describe, expect, it } from "vitest";
import { isDropped, TagTable } from "../../../src/tier/memory/tag-table.ts";

describe("a table of tags", () => {
  it("counts a dropped tag until the last entry has let it go", () => {
    const table = new TagTable<string>();
    const first = table.tagsOf(["red", "red", "blue"]);
    const second = table.tagsOf(["red"]);
    table.link("first", first);
    table.link("second", second);

    table.drop("red");
    const counts = [table.dropped];
    table.unlink("first", first);
    counts.push(table.dropped);
    table.unlink("second", second);
    counts.push(table.dropped);

    expect(counts).toEqual([1, 1, 0]);
    expect(table.size).toBe(0);
  });

  it("has no part in it for an entry with a new tag of the same name", () => {
    const table = new TagTable<string>();
    const old = table.tagsOf(["red"]);
    table.link("old", old);
    table.drop("red");
    const fresh = table.tagsOf(["red"]);
    table.link("fresh", fresh);

    table.unlink("fresh", fresh);

    expect([isDropped(old), isDropped(fresh)]).toEqual([true, false]);
    expect(table.dropped).toBe(1);
  });
});
