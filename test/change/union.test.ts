import { describe, expect, it } from "vitest";
import { type Atom, wholeTable } from "../../src/change/footprint.ts";
import { ATOMS_PER_TABLE_MAX, unionOf } from "../../src/change/union.ts";

function task(id: number, ...columns: string[]): Atom {
  const predicate = { kind: "compare", column: "id", operator: "=", value: BigInt(id) } as const;
  return { table: "tasks", columns: new Set(columns), predicate };
}

function tasks(count: number): Atom[] {
  return Array.from({ length: count }, (_, id) => task(id, "id"));
}

const WEEK: Atom = { table: "weeks", columns: new Set(["id"]), predicate: { kind: "opaque" } };

describe("the union of footprints", () => {
  it("has each atom once, whatever the order of its columns", () => {
    const first = { atoms: [task(1, "id", "score"), WEEK] };
    const second = { atoms: [task(1, "score", "id"), task(1, "id"), task(2, "id", "score")] };

    const { atoms } = unionOf([first, second, first]);

    expect(atoms).toEqual([task(1, "id", "score"), task(1, "id"), task(2, "id", "score"), WEEK]);
  });

  it("keeps as many atoms of a table as the bound, and beyond it the whole table", () => {
    const most = unionOf([{ atoms: [...tasks(ATOMS_PER_TABLE_MAX), WEEK] }]);
    const more = unionOf([most, { atoms: [task(-1, "id")] }, { atoms: [task(-2, "id")] }]);

    expect(most.atoms).toHaveLength(ATOMS_PER_TABLE_MAX + 1);
    expect(more.atoms).toEqual([wholeTable("tasks"), WEEK]);
  });

  it("leaves out what a whole table contains", () => {
    const { atoms } = unionOf([{ atoms: [task(1, "id"), wholeTable("tasks"), task(2, "id")] }]);

    expect(atoms).toEqual([wholeTable("tasks")]);
  });

  it("is nothing of nothing", () => {
    expect(unionOf([])).toEqual({ atoms: [] });
  });
});
