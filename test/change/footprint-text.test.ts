import { describe, expect, it } from "vitest";
import type { Atom, Footprint } from "../../src/change/footprint.ts";
import { wholeTable } from "../../src/change/footprint.ts";
import { footprintText, parseFootprint } from "../../src/change/footprint-text.ts";
import type { Predicate } from "../../src/change/predicate.ts";
import type { StoredValue } from "../../src/change/value.ts";

const VALUES: StoredValue[] = [
  ...[null, 7n, 2n ** 63n - 1n, -(2n ** 63n), 7, 0.1, -0, Infinity, -Infinity, 1e300, 5e-324],
  ...["", "7", "null", 'a "b"\n', "\u{1F600}", "\ud800", "\0"],
  ...[new Uint8Array(), new Uint8Array([0, 255])],
];
const PREDICATE: Predicate = {
  kind: "and",
  parts: [
    { kind: "in", column: "value", values: VALUES },
    { kind: "or", parts: [{ kind: "opaque" }, { kind: "not", part: { kind: "always" } }] },
    ...(["=", "<>", "<", "<=", ">", ">=", "is", "is not"] as const).map(
      (operator): Predicate => ({ kind: "compare", column: "week", operator, value: 7n }),
    ),
  ],
};

describe("the text of a footprint", () => {
  const atom: Atom = { table: "tasks", columns: new Set(["score", "week"]), predicate: PREDICATE };

  it("is read back with every storage class", () => {
    const footprint: Footprint = { atoms: [atom, wholeTable("weeks")] };

    const parsed = parseFootprint(footprintText(footprint));

    expect(parsed).toStrictEqual(footprint);
  });

  it("is the same whatever the order of atoms and columns, and however often one occurs", () => {
    const turned = { ...atom, columns: new Set(["week", "score"]) };

    const text = footprintText({ atoms: [wholeTable("weeks"), turned, atom] });

    expect(text).toBe(footprintText({ atoms: [atom, wholeTable("weeks")] }));
  });

  it("differs where a value differs in its storage class only", () => {
    const texts = VALUES.map((value) => {
      const predicate: Predicate = { kind: "compare", column: "week", operator: "=", value };
      return footprintText({ atoms: [{ ...atom, predicate }] });
    });

    expect(new Set(texts).size).toBe(VALUES.length);
  });

  it("is one short line", () => {
    const predicate: Predicate = { kind: "compare", column: "week", operator: "=", value: 7n };

    expect(footprintText({ atoms: [{ ...atom, predicate }] })).toBe(
      '[1,[["tasks",["score","week"],["=","week",{"integer":"7"}]]]]',
    );
  });

  it("is not read when it is damaged, cut off or of another form", () => {
    const text = footprintText({ atoms: [atom] });
    const damaged = [
      ...["", "null", "[]", "[1]", "[2,[]]", "[1,{}]", "[1,[[]]]", text.slice(0, -1)],
      ...[text.replace('"tasks"', "7"), text.replace('"all"', '"some"'), text.replace('"or"', "1")],
      ...[text.replace('["score","week"]', '"some"'), text.replace('["opaque"]', '["opaque",1]')],
      ...['{"integer":"7.5"}', '{"integer":7}', '{"real":"a"}', '{"real":""}', '{"blob":"f"}'].map(
        (value) => text.replace('{"integer":"7"}', value),
      ),
      ...["7", "{}", "[]", '{"integer":"7","real":"7"}', "true", '{"text":"7"}'].map((value) =>
        text.replace('{"integer":"7"}', value),
      ),
      `[1,[["tasks","all",${'["not",'.repeat(100_000)}["always"]${"]".repeat(100_000)}]]]`,
    ].filter((other) => other !== text);

    expect(damaged.map(parseFootprint)).toEqual(damaged.map(() => undefined));
  });
});
