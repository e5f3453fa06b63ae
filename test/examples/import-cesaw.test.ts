import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { LOG_COLUMNS, PLAN_COLUMNS } from "../../examples/auditor/cesaw.ts";
import {
  CESAW_FILES,
  type CesawFiles,
  cesawFilesIn,
  importCesaw,
} from "../../examples/auditor/import-cesaw.ts";
import { Task, TaskEvent, Week } from "../../examples/auditor/schema.ts";
import { withAuditor } from "./auditor-database.ts";

const SHARED = join(import.meta.dirname, "../../../shared/data/time_tracking");

/** project, person, item, start, complete, minutes, planned, phase */
type PlanRow = readonly [string, string, string, string, string, string, string, string];
/** id, project, person, item, start, end, minutes, interrupted */
type LogRow = readonly [string, string, string, string, string, string, string, string];

function write(folder: string, list: readonly PlanRow[], log: readonly LogRow[]): CesawFiles {
  const plans = list.map(([project, person, item, start, complete, minutes, planned, phase]) =>
    [project, person, "31", "1", item, start, complete, minutes, planned, "2", phase, "TSP"].join(),
  );
  const entries = log.map(([id, project, person, item, start, end, minutes, interrupted]) =>
    [id, "C", project, person, "31", "1", item, start, end, minutes, interrupted, "2", "Code"]
      .concat("1", "TSP")
      .join(),
  );
  const pack = (lines: readonly string[]): Buffer => zstdCompressSync(`${lines.join("\n")}\n`);
  writeFileSync(join(folder, CESAW_FILES.list), pack([PLAN_COLUMNS.join(), ...plans]));
  writeFileSync(join(folder, CESAW_FILES.log), pack([LOG_COLUMNS.join(), ...entries]));
  return cesawFilesIn(folder);
}

describe("importing CESAW", () => {
  it("makes a task of each task and week, and timers of the log entries", () =>
    withAuditor(async (db, folder) => {
      const files = write(
        folder,
        [["7", "1", "10", "10/29/2012 9:00", "\\N", "30", "45.5", "Code"]],
        [
          ["1", "7", "1", "10", "10/29/2012 9:00", "10/29/2012 9:20", "15", "5"],
          ["2", "7", "1", "10", "11/5/2012 9:00", "11/5/2012 9:15", "15", "0"],
        ],
      );

      const report = await importCesaw(db, files);

      expect(report.written).toEqual({ weeks: 2, tasks: 2, events: 6 });
      expect(report.sources).toMatchObject([
        { name: CESAW_FILES.list, rowsRead: 1, rowsImported: 1, refused: { rows: 0 } },
        { name: CESAW_FILES.log, rowsRead: 2, rowsImported: 2, warnings: { rows: 0 } },
      ]);
      const week = await new Auditor(db).weekByLabel("2012-W44");
      expect(await db.repository(Task).list({ where: { weekId: week.id } })).toMatchObject([
        {
          attemptId: "7/1/10",
          durationSeconds: 900,
          timeLimitSeconds: 2_730,
          projectName: "Project 7",
          operationId: "Code",
          feedback: "TSP",
          dateAudited: "2012-10-29",
          timeBegin: new Date("2012-10-29T09:00:00Z"),
          timeEnd: new Date("2012-10-29T09:20:00Z"),
        },
      ]);
      expect(await db.repository(TaskEvent).list({ where: { taskId: 1 } })).toMatchObject([
        { eventType: "task_created", durationChange: 0 },
        { eventType: "timer_start", timestamp: new Date("2012-10-29T09:00:00Z") },
        {
          eventType: "timer_stop",
          timestamp: new Date("2012-10-29T09:20:00Z"),
          durationChange: 900,
          eventData: { time_log: 1, interrupt_minutes: 5 },
        },
      ]);
    }));

  it("accounts for every row of both files: imported, or refused with line and reason", () =>
    withAuditor(async (db, folder) => {
      const files = write(
        folder,
        [
          ["7", "1", "10", "10/29/2012 9:00", "\\N", "30", "45", "Code"],
          ["7", "1", "11", "10/29/2012 9:00", "10/30/2012 9:00", "20", "0", "Test"],
          ["7", "1", "12", "\\N", "\\N", "5", "5", "Test"],
          ["7", "x", "13", "\\N", "\\N", "5", "5", "Test"],
        ],
        [
          ["1", "7", "1", "10", "10/29/2012 9:00", "10/29/2012 9:20", "20", "0"],
          ["2", "7", "1", "10", "\\N", "\\N", "20", "0"],
          ["3", "7", "1", "10", "10/29/2012 9:00", "10/29/2012 8:00", "20", "0"],
          ["4", "7", "1", "99", "10/29/2012 9:00", "10/29/2012 9:05", "5", "0"],
        ],
      );

      const { sources, written } = await importCesaw(db, files);

      const [list, log] = sources;
      expect(list).toMatchObject({
        rowsRead: 4,
        rowsImported: 2,
        refused: {
          rows: 2,
          first: [
            { line: 5, value: "x" },
            { line: 4, value: "7/1/12" },
          ],
        },
      });
      expect(log).toMatchObject({
        rowsRead: 4,
        rowsImported: 2,
        refused: { rows: 2, totals: expect.any(Array) },
        warnings: { rows: 1, first: [{ line: 5, reason: "is not in the task list" }] },
      });
      expect(log?.refused.first.map(({ line }) => line)).toEqual([3, 3, 4]);
      // Two tasks with entries, and one whose time only the list knows.
      expect(written).toEqual({ weeks: 1, tasks: 3, events: 7 });
      const rest = await db.repository(Task).list({ where: { attemptId: "7/1/11" } });
      expect(rest).toMatchObject([{ durationSeconds: 1_200 }]);
    }));

  it("tells how far it is, to the end", () =>
    withAuditor(async (db, folder) => {
      const files = write(
        folder,
        [["7", "1", "10", "10/29/2012 9:00", "\\N", "30", "45", "Code"]],
        [["1", "7", "1", "10", "10/29/2012 9:00", "10/29/2012 9:20", "20", "0"]],
      );
      const steps: (readonly [number, number])[] = [];

      await importCesaw(db, files, { onProgress: (done, total) => steps.push([done, total]) });

      expect(steps.at(-1)).toEqual([4, 4]);
    }));

  it("writes nothing when a header is wrong or a file is broken", () =>
    withAuditor(async (db, folder) => {
      const files = write(folder, [], []);
      writeFileSync(files.log, zstdCompressSync("a,b\n1,2\n"));
      await expect(importCesaw(db, files)).rejects.toMatchObject({ code: "VALIDATION" });

      writeFileSync(files.log, "not compressed at all");
      await expect(importCesaw(db, files)).rejects.toMatchObject({ code: "VALIDATION" });
      expect(await db.repository(Week).count()).toBe(0);
    }));

  const isHere = existsSync(join(SHARED, CESAW_FILES.log));
  const isRequired = process.env["CI"] === "true";
  it.skipIf(!isHere && !isRequired)(
    "takes every row of the real files (skipped when ../shared/data is not there)",
    () =>
      withAuditor(async (db) => {
        const { sources, written } = await importCesaw(db, cesawFilesIn(SHARED));

        const [list, log] = sources;
        expect([list?.rowsRead, log?.rowsRead]).toEqual([61_817, 203_621]);
        expect([list?.rowsImported, log?.rowsImported]).toEqual([61_789, 203_618]);
        expect([list?.refused.rows, log?.refused.rows]).toEqual([28, 3]);
        expect(written).toEqual({ weeks: 377, tasks: 80_831, events: 80_831 + 2 * 203_618 });
        const sums = await db.execute(
          `SELECT count(*) AS stops, sum(duration_change) AS seconds FROM task_events
           WHERE event_type = 'timer_stop'`,
        );
        expect(sums.rows[0]).toMatchObject({ stops: 203_618 });
      }),
    120_000,
  );
});
