import { expect, test } from "vitest";
import {
  canonicalExpression,
  canonicalSql,
  identifierOf,
  mentions,
  tokenize,
} from "../../src/core/sql-tokens.ts";

test("texts that mean the same have one canonical form", () => {
  const plain = "create view v as select a , b from t where x = 'It''s'";

  expect(
    canonicalSql(`CREATE VIEW "V" AS\n  SELECT [a],\`b\` -- columns\n FROM t WHERE x='It''s'`),
  ).toBe(plain);
  expect(canonicalSql(plain)).toBe(plain);
});

test("strings keep their case and names that need quotes keep them", () => {
  expect(canonicalSql(`SELECT 'ABC', "two words", "a""b"`)).toBe(
    `select 'ABC' , "two words" , "a""b"`,
  );
});

test("parentheses around a whole expression do not count, others do", () => {
  expect(canonicalExpression("((a > 1))")).toBe("a > 1");
  expect(canonicalExpression("(a) > (1)")).toBe("( a ) > ( 1 )");
  expect(canonicalExpression("()")).toBe("( )");
});

test("numbers, operators, parameters and blobs are single tokens", () => {
  const texts = tokenize("a<=1.5e-3||x'00'->>?1 <> :name 0xFF .5").map(({ text }) => text);

  expect(texts).toEqual([
    "a",
    "<=",
    "1.5e-3",
    "||",
    "x'00'",
    "->>",
    "?1",
    "<>",
    ":name",
    "0xFF",
    ".5",
  ]);
});

test("tokens know their line", () => {
  const tokens = tokenize("a\n/* two\nlines */ 'x\ny' b");

  expect(tokens.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
});

test("a quote without an end is an open token to the end of the text", () => {
  expect(tokenize("a 'open; b").at(-1)).toMatchObject({ kind: "open", text: "'open; b" });
});

test("an identifier is found under any quotes and case, but not in strings and comments", () => {
  expect(mentions(`SELECT "Week_Id" FROM t`, "week_id")).toBe(true);
  expect(mentions("SELECT 'week_id' -- week_id", "week_id")).toBe(false);
  expect(mentions("SELECT week_ids", "week_id")).toBe(false);
});

test("quotes around identifiers are taken off, doubled ones made single", () => {
  const names = tokenize(`"a""b" [c] \`d\` plain`).map(identifierOf);

  expect(names).toEqual(['a"b', "c", "d", "plain"]);
  expect(identifierOf(undefined)).toBe("");
});
