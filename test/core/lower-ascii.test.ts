import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { lowerAscii } from "../../src/core/lower-ascii.ts";

test("texts are folded as SQLite folds them", () => {
  using db = new DatabaseSync(":memory:");
  const lower = db.prepare("SELECT lower(?) AS text");
  const texts = ["Week_ID", "AZaz[`@{", "Änderung", "\u212A", "\u0130", "ΑΣ", "\u{10400}"];

  expect(texts.map(lowerAscii)).toEqual(texts.map((text) => lower.get(text)?.["text"]));
  expect(texts.map(lowerAscii)).toContain("week_id");
});
