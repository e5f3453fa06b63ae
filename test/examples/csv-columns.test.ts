import { describe, expect, it } from "vitest";
import {
  CSV_COLUMNS,
  csvFields,
  fileNameOf,
  labelOfFile,
  readCsvTask,
} from "../../examples/auditor/csv-columns.ts";
import { readHeader } from "../../examples/auditor/row-reader.ts";

const HEADER = readHeader({ line: 1, fields: CSV_COLUMNS }, CSV_COLUMNS);
const FIELDS = [
  "a-1",
  "01:02:03",
  "P1",
  "Atlas, north",
  "review",
  "02:00:00",
  "2025-06-12",
  "4",
  'said "fine"',
  "en_US",
];

function withField(column: string, value: string): string[] {
  return CSV_COLUMNS.map((name, at) => (name === column ? value : (FIELDS[at] ?? "")));
}

describe("a CSV row of the origin", () => {
  it("becomes a task and comes back", () => {
    const { task, problems } = readCsvTask(HEADER, { line: 2, fields: FIELDS });

    expect(problems).toEqual([]);
    expect(task).toMatchObject({ durationSeconds: 3_723, timeLimitSeconds: 7_200, score: 4 });
    expect(csvFields(task)).toEqual(FIELDS);
  });

  it("may have empty texts and no date", () => {
    const fields = ["", "00:00:00", "", "", "", "00:00:00", "", "0", "", ""];

    const { task, problems } = readCsvTask(HEADER, { line: 2, fields });

    expect(problems).toEqual([]);
    expect(task.dateAudited).toBe(null);
    expect(csvFields(task)).toEqual(fields);
  });

  it.each([
    ["Duration", "1:2", "is not a duration"],
    ["Duration", "", "is not a duration"],
    ["Time Limit", "02:61:00", "is not a duration"],
    ["Date Audited", "12/06/2025", "is not a date"],
    ["Score", "-1", "is not a whole number"],
    ["Score", "4.5", "is not a whole number"],
  ])("is refused when %s is %j", (column, value, reason) => {
    const { problems } = readCsvTask(HEADER, { line: 9, fields: withField(column, value) });

    expect(problems).toEqual([{ line: 9, column, value, reason: expect.stringContaining(reason) }]);
  });

  it("is refused when it is too short or too long", () => {
    for (const fields of [FIELDS.slice(1), [...FIELDS, "more"]]) {
      const { problems } = readCsvTask(HEADER, { line: 9, fields });

      expect(problems[0]?.reason).toMatch(/fields where the header has 10/);
    }
  });
});

describe("the name of a file", () => {
  it.each(["2012-W44", "01/06/2025 - 07/06/2025", "100 % done?", "a.b", "한 주", 'x"<>|*:\\'])(
    "carries the label %j there and back",
    (label) => {
      const name = fileNameOf(label);

      expect(name).toMatch(/^auditor_tasks_[^/\\:*?"<>|]+\.csv$/);
      expect(labelOfFile(name)).toBe(label);
    },
  );

  it.each([
    ["2012-W44.csv", "2012-W44"],
    ["auditor_tasks_2012-W44.csv.gz", "2012-W44"],
    ["AUDITOR_TASKS_w.CSV", "w"],
    ["w.csv", undefined],
    ["bad_2025-W24.csv", undefined],
    ["notes.txt", undefined],
  ])("%j is the label %j", (name, label) => {
    expect(labelOfFile(name)).toBe(label);
  });
});
