import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { csvLine } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { CSV_COLUMNS } from "../../examples/auditor/csv-columns.ts";
import { exportCsv, exportToFile } from "../../examples/auditor/export-csv.ts";
import { generateWeeks } from "../../examples/auditor/generate.ts";
import { importCsv } from "../../examples/auditor/import-csv.ts";
import { importGenerated } from "../../examples/auditor/import-generated.ts";
import { Task, TaskEvent, Week } from "../../examples/auditor/schema.ts";
import { withAuditor } from "./auditor-database.ts";

const GOOD = ["a-1", "00:10:00", "P1", "Atlas", "review", "01:00:00", "2025-06-12", "4", "", "en"];

function file(folder: string, rows: readonly (readonly string[])[], name = "2025-W23"): string {
  const path = join(folder, `auditor_tasks_${name}.csv`);
  writeFileSync(path, [CSV_COLUMNS, ...rows].map((row) => csvLine(row)).join(""));
  return path;
}

function changed(column: (typeof CSV_COLUMNS)[number], value: string): string[] {
  return GOOD.map((field, at) => (CSV_COLUMNS[at] === column ? value : field));
}

describe("importing a week from CSV", () => {
  it("makes the week of the file's name, its tasks and their events", () =>
    withAuditor(async (db, folder) => {
      const path = file(folder, [GOOD, changed("Attempt ID", "a-2")]);

      const report = await importCsv(db, path, { nowMs: 1_000 });

      expect(report).toMatchObject({
        sources: [{ name: "auditor_tasks_2025-W23.csv", rowsRead: 2, rowsImported: 2 }],
        written: { weeks: 1, tasks: 2, events: 2 },
      });
      const week = await new Auditor(db).weekByLabel("2025-W23");
      expect(await db.repository(Task).list()).toMatchObject([
        { weekId: week.id, attemptId: "a-1", durationSeconds: 600, durationDisplay: "00:10:00" },
        { weekId: week.id, attemptId: "a-2", createdAt: new Date(1_000) },
      ]);
      expect(await db.repository(TaskEvent).list()).toMatchObject([
        {
          eventType: "task_created",
          userAction: "import",
          durationChange: 600,
          eventData: { week_id: week.id, creation_method: "import" },
        },
        {},
      ]);
    }));

  it("writes the good rows and lists the broken ones with line, column, value and reason", () =>
    withAuditor(async (db, folder) => {
      const path = file(folder, [
        GOOD,
        changed("Feedback", "two\nlines"),
        changed("Duration", "soon"),
        ["too", "short"],
        changed("Score", "-1"),
        GOOD,
      ]);

      const { sources } = await importCsv(db, path);

      expect(sources[0]).toMatchObject({
        rowsRead: 6,
        rowsImported: 3,
        refused: {
          rows: 3,
          first: expect.arrayContaining([
            {
              line: 5,
              column: "Duration",
              value: "soon",
              reason: expect.stringContaining("is not a duration"),
            },
            expect.objectContaining({ line: 6, reason: expect.stringContaining("2 fields") }),
            expect.objectContaining({ line: 7, column: "Score", value: "-1" }),
          ]),
        },
      });
      expect(await db.repository(Task).count()).toBe(3);
    }));

  it.each([
    ["lacks a column", CSV_COLUMNS.slice(1).join(","), '"Attempt ID" is missing'],
    ["has an unknown column", [...CSV_COLUMNS, "Mood"].join(","), '"Mood" is unknown'],
    ["is empty", "", "is missing"],
  ])("refuses a file whole whose header %s", (_, header, reason) =>
    withAuditor(async (db, folder) => {
      const path = join(folder, "2025-W23.csv");
      writeFileSync(path, `${header}\r\n${csvLine(GOOD)}`);

      await expect(importCsv(db, path)).rejects.toMatchObject({
        code: "VALIDATION",
        message: expect.stringContaining(reason),
      });
      expect(await db.repository(Week).count()).toBe(0);
    }),
  );

  it("leaves nothing of a file that breaks off in the middle", () =>
    withAuditor(async (db, folder) => {
      const path = join(folder, "2025-W23.csv");
      const rows = Array.from({ length: 3_000 }, () => csvLine(GOOD)).join("");
      writeFileSync(path, `${csvLine(CSV_COLUMNS)}${rows}a,"never closed`);

      await expect(importCsv(db, path)).rejects.toMatchObject({
        code: "VALIDATION",
        fields: { line: 3_002 },
      });
      expect(await db.repository(Week).count()).toBe(0);
      expect(await db.repository(Task).count()).toBe(0);
    }));

  it("leaves nothing when it is given up", () =>
    withAuditor(async (db, folder) => {
      const path = file(
        folder,
        Array.from({ length: 5_000 }, () => GOOD),
      );
      const stop = new AbortController();
      const onProgress = (done: number): void => {
        if (done === 4_000) stop.abort();
      };

      const done = importCsv(db, path, { signal: stop.signal, onProgress });

      await expect(done).rejects.toThrow();
      expect(await db.repository(Week).count()).toBe(0);
      expect(await db.repository(Task).count()).toBe(0);
    }));

  it("makes no week when every row is broken", () =>
    withAuditor(async (db, folder) => {
      const { sources } = await importCsv(db, file(folder, [changed("Score", "x")]));

      expect(sources[0]).toMatchObject({ rowsRead: 1, rowsImported: 0 });
      expect(await db.repository(Week).count()).toBe(0);
    }));

  it("adds to a week that is there, and takes another label when it is given", () =>
    withAuditor(async (db, folder) => {
      const path = file(folder, [GOOD]);

      await importCsv(db, path);
      const again = await importCsv(db, path);
      await importCsv(db, path, { week: "another" });

      expect(again.written).toEqual({ weeks: 0, tasks: 1, events: 1 });
      const labels = (await new Auditor(db).weeks()).map((week) => week.label);
      expect(labels).toEqual(["2025-W23", "another"]);
    }));
});

describe("exporting a week to CSV", () => {
  it("and importing it again gives the same file", () =>
    withAuditor(async (db, folder) => {
      await importGenerated(db, generateWeeks(5, [40, 60]));
      const auditor = new Auditor(db);
      const { id, label } = await auditor.weekByLabel("2025-W02");
      const path = join(folder, "auditor_tasks_copy.csv");

      const tasks = await exportToFile(db, id, path);
      await importCsv(db, path);

      const copy = await auditor.weekByLabel("copy");
      const lines = await Array.fromAsync(exportCsv(db, id));
      expect(tasks).toBe(60);
      expect(label).toBe("2025-W02");
      expect(await Array.fromAsync(exportCsv(db, copy.id))).toEqual(lines);
      expect(lines).toHaveLength(61);
    }));

  it("says what stands in the way of a file, in the words of whoever named it", () =>
    withAuditor(async (db, folder) => {
      const { id } = await new Auditor(db).createWeek({ label: "2025-W23" });
      const there = file(folder, []);

      for (const [path, code, message] of [
        [join(folder, "missing", "a.csv"), "UNOPENABLE", `no folder ${join(folder, "missing")}.`],
        [folder, "UNOPENABLE", `${folder} is a folder.`],
        [join(there, "a.csv"), "UNOPENABLE", `no folder ${there}.`],
        ["/dev/null", "UNOPENABLE", "/dev/null is no ordinary file."],
        [there, "USAGE", "replace it with --force"],
      ] as const) {
        await expect(exportToFile(db, id, path)).rejects.toMatchObject({
          code,
          message: expect.stringContaining(message),
        });
      }
      expect(await exportToFile(db, id, there, { force: true })).toBe(0);
    }));
});

describe("importing generated weeks", () => {
  it("writes each with its tasks and events", () =>
    withAuditor(async (db) => {
      const report = await importGenerated(db, generateWeeks(1, [10, 20, 30, 40]));

      expect(report.written).toEqual({ weeks: 4, tasks: 100, events: 100 });
      const weeks = await new Auditor(db).weeks();
      expect(weeks.map(({ label, isBonusWeek }) => [label, isBonusWeek])).toEqual([
        ["2025-W01", false],
        ["2025-W02", false],
        ["2025-W03", false],
        ["2025-W04", true],
      ]);
    }));
});
