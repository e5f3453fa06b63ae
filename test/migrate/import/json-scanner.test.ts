import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type JsonDocument,
  type JsonLayout,
  JsonScanner,
} from "../../../src/migrate/import/json-scanner.ts";

const ITEMS: JsonLayout = { documents: "items" };

function scan(layout: JsonLayout, ...chunks: readonly string[]): JsonDocument[] {
  const scanner = new JsonScanner("a.json", layout);
  return [...chunks.flatMap((chunk) => scanner.push(chunk)), ...scanner.end()];
}

function parsed(documents: readonly JsonDocument[]): unknown[] {
  return documents.map(({ text }) => JSON.parse(text));
}

describe("cutting JSON into documents", () => {
  it("gives the elements of a list and the members of an object, with their lines", () => {
    const list = '\n[ {"a": 1},\n  "x, ]", [\n2], 3 ]\n';
    const map = '{\n"k-1": {"a": "}"},\n "k\\"2" : null}';

    expect(scan(ITEMS, list)).toMatchObject([
      { line: 2, key: 0, text: '{"a": 1}' },
      { line: 3, key: 1, text: '"x, ]"' },
      { line: 3, key: 2, text: "[\n2]" },
      { line: 4, key: 3, text: "3" },
    ]);
    expect(scan(ITEMS, map)).toMatchObject([
      { line: 2, key: "k-1", text: '{"a": "}"}' },
      { line: 3, key: 'k"2', text: "null" },
    ]);
    expect(scan(ITEMS, "[]")).toEqual([]);
    expect(scan(ITEMS, " {} ")).toEqual([]);
  });

  it("goes to a list inside, and reads the rest without it", () => {
    const text = '{"a": {"at": [9]}, "list": [1, 2], "b": {"list": [3]}, "c": "x"}';

    expect(parsed(scan({ documents: "items", at: ["list"] }, text))).toEqual([1, 2]);
    expect(parsed(scan({ documents: "items", at: ["b", "list"] }, text))).toEqual([3]);
    expect(parsed(scan({ documents: "whole", omit: ["list", "a"] }, text))).toEqual([
      { b: { list: [3] }, c: "x" },
    ]);
    expect(parsed(scan({ documents: "whole", at: ["b"] }, text))).toEqual([{ list: [3] }]);
    expect(parsed(scan({ documents: "whole" }, " 5 "))).toEqual([5]);
  });

  it("gives the same for any values, wherever the text is cut into chunks", () => {
    const values = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 8 });
    fc.assert(
      fc.property(values, fc.constantFrom(0, 1), fc.nat(200), (list, indent, at) => {
        const text = JSON.stringify(list, null, indent);
        const documents = scan(ITEMS, text.slice(0, at), text.slice(at));

        expect(parsed(documents)).toEqual(JSON.parse(text));
        expect(parsed(scan(ITEMS, ...text))).toEqual(JSON.parse(text));
        for (const { line, text: part } of documents) {
          const before = text
            .split("\n")
            .slice(line - 1)
            .join("\n");
          expect(before).toContain(part);
        }
      }),
    );
  });

  it("is not misled by what looks like the gap between two elements", () => {
    const list = Array.from({ length: 50 }, (_, id) => ({
      id,
      tags: [{ a: 1 }, { b: "},{" }],
      text: "},{",
    }));

    expect(parsed(scan(ITEMS, JSON.stringify(list)))).toEqual(list);
  });

  it("goes on behind an element that is wrong inside", () => {
    const texts = scan(ITEMS, '[{"a": 1},\n{"a" 2},\n{"a": 3},\n,]').map(({ text }) => text);

    expect(texts).toEqual(['{"a": 1}', '{"a" 2}', '{"a": 3}', "", ""]);
  });

  it.each([
    ["breaks off in a list", '[{"a": 1},\n{"a": 2},\n{"a":', 3, "breaks off"],
    ["breaks off behind an element", '[{"a": 1}\n', 2, "breaks off"],
    ["breaks off in a text", '{"a":\n"x', 2, "breaks off"],
    ["has two elements without a comma", "[1\n 2]", 2, "a comma or the end"],
    ["has a name without quotes", "{\n a: 1}", 2, "a name in quotes"],
    ["has no colon", '{"a" 1}', 1, "a colon"],
    ["goes on behind its end", "[1]\n[2]", 2, "more text behind the end"],
    ["is neither list nor object", "5", 1, "is not a list or an object"],
    ["is empty", " \n ", 2, "the file is empty"],
  ])("names the line when the text %s", (_, text, line, message) => {
    expect(() => scan(ITEMS, text)).toThrow(
      expect.objectContaining({
        code: "VALIDATION",
        message: expect.stringContaining(message),
        fields: { path: "a.json", line },
      }),
    );
  });

  it("says when there is no such list", () => {
    expect(() => scan({ documents: "items", at: ["a", "b"] }, '{"a": {"c": []}}')).toThrow(
      'there is no "a.b"',
    );
    expect(() => scan({ documents: "items", at: ["a", "b"] }, '{"a": 1}')).toThrow(
      "a is not an object",
    );
  });
});
