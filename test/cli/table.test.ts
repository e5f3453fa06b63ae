import { describe, expect, it } from "vitest";
import { displayWidth, formatTable } from "../../src/cli/table.ts";

describe("formatTable", () => {
  it("makes columns as wide as their content, numbers to the right", () => {
    const table = formatTable(
      [{ title: "name" }, { title: "rows", align: "right" }],
      [
        ["weeks", "10"],
        ["task_events", "19,850"],
      ],
    );

    expect(table).toBe(
      [
        "name           rows",
        "───────────  ──────",
        "weeks            10",
        "task_events  19,850",
      ].join("\n"),
    );
  });

  it("fills rows that are too short", () => {
    expect(formatTable([{ title: "a" }, { title: "b" }], [["1"]])).toBe("a  b\n─  ─\n1");
  });
});

describe("displayWidth", () => {
  it.each([
    ["plain", 5],
    ["\u001b[31mred\u001b[39m", 3],
    ["안녕", 4],
    ["e\u0301", 1],
    ["漢字", 4],
  ])("of %j is %d cells", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});
