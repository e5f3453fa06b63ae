/**
 * Databases whose workload has the indexes that it needs: nothing may be advised there. One more is
 * one more function of this list, which makes a file and says what it is asked.
 */

import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { openAuditor } from "../../examples/auditor/database.ts";
import { generateWeeks, WEEK_SIZES } from "../../examples/auditor/generate.ts";
import { importGenerated } from "../../examples/auditor/import-generated.ts";
import { WeekReads } from "../../examples/auditor/week-reads.ts";
import { WorkloadRecorder } from "../../src/advisor/recorder.ts";
import { parseWorkload, readWorkload, type Workload } from "../../src/advisor/workload.ts";
import { systemClock } from "../../src/core/clock.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { BenchInputError } from "../bench.ts";

/** A database and what it is asked. */
export interface Subject {
  readonly name: string;
  readonly path: string;
  readonly workload: Workload;
}

/** Makes a subject in a folder. */
type MakeSubject = (folder: string, samples: string) => Promise<Subject>;

/** All of them. */
export const SUBJECTS: readonly MakeSubject[] = [chinook, auditor];

/** Every foreign key has an index there, and these statements look rows up by keys. */
const CHINOOK = `
  SELECT * FROM Track WHERE TrackId = ?;
  SELECT * FROM Album WHERE ArtistId = ?;
  SELECT Name, Milliseconds FROM Track WHERE AlbumId = ? ORDER BY Name;
  SELECT a.Title, r.Name FROM Album a JOIN Artist r ON r.ArtistId = a.ArtistId WHERE a.AlbumId = ?;
  SELECT t.Name FROM PlaylistTrack p JOIN Track t ON t.TrackId = p.TrackId WHERE p.PlaylistId = ?;
  SELECT count(*) FROM PlaylistTrack WHERE TrackId = ?;
  SELECT * FROM Invoice WHERE CustomerId = ? ORDER BY InvoiceDate DESC LIMIT 10;
  SELECT l.Quantity, t.Name FROM InvoiceLine l JOIN Track t ON t.TrackId = l.TrackId
    WHERE l.InvoiceId = ?;
  SELECT sum(UnitPrice * Quantity) FROM InvoiceLine WHERE TrackId IN (?, ?, ?);
  SELECT g.Name, count(*) FROM Track t JOIN Genre g ON g.GenreId = t.GenreId GROUP BY g.GenreId;
  SELECT c.LastName, sum(i.Total) FROM Customer c JOIN Invoice i ON i.CustomerId = c.CustomerId
    GROUP BY c.CustomerId ORDER BY 2 DESC LIMIT 5;
  SELECT e.LastName, count(*) FROM Employee e LEFT JOIN Customer c ON c.SupportRepId = e.EmployeeId
    GROUP BY e.EmployeeId;
  INSERT INTO InvoiceLine (InvoiceId, TrackId, UnitPrice, Quantity) VALUES (?, ?, ?, ?);
  UPDATE Customer SET Email = ? WHERE CustomerId = ?;
  DELETE FROM PlaylistTrack WHERE PlaylistId = ? AND TrackId = ?;
`;

async function chinook(folder: string, samples: string): Promise<Subject> {
  const from = join(samples, "Chinook_Sqlite.sqlite");
  if (!existsSync(from)) {
    throw new BenchInputError(`${from} is missing: give the folder of the samples with --dir.`);
  }
  const path = join(folder, "chinook.db");
  await copyFile(from, path);
  return { name: "chinook", path, workload: parseWorkload(CHINOOK, "chinook") };
}

/** What the auditor itself asks while it imports, shows and changes weeks. */
async function auditor(folder: string): Promise<Subject> {
  const path = join(folder, "auditor.db");
  const recorded = join(folder, "auditor.json");
  {
    await using db = await openAuditor(path);
    await importGenerated(db, generateWeeks());
    await using store = await openSqliteStore({ url: { kind: "file", path } });
    await using _recorder = new WorkloadRecorder(store.file.log, recorded, systemClock);
    const reads = new WeekReads(db);
    const weeks = new Auditor(db);
    for (let weekId = 1; weekId <= WEEK_SIZES.length; weekId++) {
      await reads.getWeekData(weekId);
      await reads.getWeekTasks(weekId, 20);
      await reads.getWeekAnalytics(weekId);
      const task = await weeks.createTask({ weekId });
      await weeks.updateTaskDuration(task.id, weekId);
      await weeks.deleteTask(task.id);
    }
  }
  return { name: "auditor", path, workload: await readWorkload(recorded) };
}
