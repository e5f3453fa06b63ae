import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import {
  decodeGroup,
  decodeOutcomes,
  encodeGroup,
  encodeOutcomes,
  type Outcome,
} from "../../src/sqlite/group-wire.ts";
import { sql } from "./support.ts";

describe("a group on its way", () => {
  it("carries each text once and arrives as it was", () => {
    const insert = "INSERT INTO t VALUES (?)";
    const units = [[sql(insert, 1), sql("SELECT 1")], [sql(insert, new Uint8Array([7]))], []];

    const wire = structuredClone(encodeGroup(units));

    expect(wire.texts).toEqual([insert, "SELECT 1"]);
    expect(decodeGroup(wire)).toEqual(units);
  });
});

describe("outcomes on their way", () => {
  it("arrive as they were, each with its unit", () => {
    const column = { name: "v", table: null, column: null };
    const units = [[sql("a"), sql("b")], [sql("c")], [sql("d"), sql("e")], []];
    const outcomes: Outcome[] = [
      {
        results: [
          { columns: [], rows: [], changes: 3, ms: 0.25 },
          { columns: [column], rows: [[1n]], changes: 1, ms: 0.5, cursor: 9 },
        ],
      },
      { error: new SpringhouseError("CONSTRAINT", "taken", { fields: { table: "t" } }) },
      {
        results: [
          { columns: [column], rows: [], changes: 0, ms: 1 },
          { columns: [], rows: [], changes: 2 ** 40, ms: 2 },
        ],
      },
      { results: [] },
    ];

    const arrived = decodeOutcomes(structuredClone(encodeOutcomes(outcomes)), units);

    expect(arrived).toEqual(outcomes);
    expect(arrived[1]?.error).toBeInstanceOf(SpringhouseError);
    expect(arrived[1]?.error?.fields).toEqual({ table: "t" });
  });
});
