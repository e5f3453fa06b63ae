import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { checkIntegrity, openAuditor } from "../../examples/auditor/database.ts";
import { migrateLegacy } from "../../examples/auditor/migrate-legacy.ts";
import { AppSetting, FeedbackFile, Task, TaskEvent, Week } from "../../examples/auditor/schema.ts";
import { temporaryFolder } from "./auditor-database.ts";

/** The tables as the origin makes them. */
const TABLES = `
  CREATE TABLE weeks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, week_label TEXT UNIQUE NOT NULL,
    week_start_day INTEGER DEFAULT 1, week_start_hour INTEGER DEFAULT 0,
    week_end_day INTEGER DEFAULT 7, week_end_hour INTEGER DEFAULT 23,
    is_custom_duration INTEGER DEFAULT 0, is_bonus_week INTEGER DEFAULT 0,
    week_specific_bonus_payrate REAL, week_specific_bonus_start_day INTEGER,
    week_specific_bonus_start_time TEXT, week_specific_bonus_end_day INTEGER,
    week_specific_bonus_end_time TEXT, week_specific_enable_task_bonus INTEGER,
    week_specific_bonus_task_threshold INTEGER, week_specific_bonus_additional_amount REAL,
    use_global_bonus_settings INTEGER DEFAULT 1, office_hour_count INTEGER DEFAULT 0,
    office_hour_payrate REAL, office_hour_session_duration_minutes INTEGER,
    use_global_office_hours_settings INTEGER DEFAULT 1);
  CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, week_id INTEGER NOT NULL, attempt_id TEXT,
    duration TEXT DEFAULT '00:00:00', project_id TEXT, project_name TEXT, operation_id TEXT,
    time_limit TEXT DEFAULT '00:00:00', date_audited TEXT, score INTEGER DEFAULT 0, feedback TEXT,
    locale TEXT, bonus_paid INTEGER DEFAULT 0, time_begin TEXT, time_end TEXT);
  CREATE TABLE feedback_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, task_id INTEGER NOT NULL, content TEXT);
  CREATE TABLE app_settings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, setting_key TEXT UNIQUE NOT NULL, setting_value TEXT,
    setting_type TEXT DEFAULT 'string');`;

const ROWS = `
  INSERT INTO weeks (id, week_label, is_bonus_week, week_specific_bonus_payrate,
    week_specific_bonus_start_day, week_specific_bonus_start_time, week_specific_enable_task_bonus,
    use_global_bonus_settings, office_hour_count, office_hour_payrate)
  VALUES (3, '02/06/2025 - 08/06/2025', 1, 12.5, 0, '08:00', 1, 0, 2, 20.25), (4, '2025-W24', 0,
    NULL, NULL, NULL, NULL, 1, 0, NULL);
  INSERT INTO tasks (id, week_id, attempt_id, duration, project_id, project_name, operation_id,
    time_limit, date_audited, score, feedback, locale, bonus_paid, time_begin, time_end)
  VALUES
    (10, 3, 'a-1', '01:02:03', 'P1', 'Atlas', 'review', '02:00:00', '2025-06-02', 4, 'fine', 'en', 1,
      '2025-06-02T08:00:00.123456', '2025-06-02 09:02:03'),
    (11, 3, NULL, '125:00:00', NULL, NULL, NULL, NULL, '2025-06-03', 4.0, NULL, NULL, 0, NULL, ''),
    (12, 4, 'a-3', NULL, '', '', '', '', '', NULL, '', '', NULL, NULL, NULL);
  INSERT INTO feedback_files (id, task_id, content) VALUES (1, 10, '# Fine'), (2, 11, NULL);
  INSERT INTO app_settings (id, setting_key, setting_value, setting_type) VALUES
    (1, 'bonus_start_day', '0', 'integer'), (2, 'bonus_end_time', '23:59', 'time'),
    (3, 'bonus_payrate', '0.0', 'float'), (4, 'enable_task_bonus', 'false', 'boolean'),
    (5, 'note', NULL, 'string');`;

function legacyFile(folder: string, sql: string = ROWS): string {
  const path = join(folder, "tasks.db");
  using db = new DatabaseSync(path);
  db.exec(TABLES + sql);
  return path;
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

describe("migrating the origin's file", () => {
  it("carries every row over, with durations in seconds and dates that are dates", async () => {
    using folder = temporaryFolder();
    const source = legacyFile(folder.path);
    const target = join(folder.path, "auditor.db");

    const report = await migrateLegacy(source, target, { nowMs: 5_000 });

    expect(report).toMatchObject({
      target,
      durationSeconds: 453_723,
      ignoredColumns: [],
      tables: [
        { table: "weeks", read: 2, migrated: 2 },
        { table: "tasks", read: 3, migrated: 3 },
        { table: "feedback_files", read: 2, migrated: 2 },
        { table: "app_settings", read: 5, migrated: 5 },
      ],
    });
    await using db = await openAuditor(target);
    expect(await db.repository(Task).list()).toMatchObject([
      {
        id: 10,
        weekId: 3,
        attemptId: "a-1",
        durationSeconds: 3_723,
        durationDisplay: "01:02:03",
        timeLimitSeconds: 7_200,
        dateAudited: "2025-06-02",
        score: 4,
        bonusPaid: true,
        timeBegin: new Date("2025-06-02T08:00:00.123Z"),
        timeEnd: new Date("2025-06-02T09:02:03Z"),
        createdAt: new Date("2025-06-02T08:00:00.123Z"),
      },
      {
        id: 11,
        attemptId: "",
        durationSeconds: 450_000,
        durationDisplay: "125:00:00",
        timeLimitSeconds: 0,
        score: 4,
        timeEnd: null,
        createdAt: new Date("2025-06-03T00:00:00Z"),
      },
      { id: 12, weekId: 4, durationSeconds: 0, dateAudited: null, createdAt: new Date(5_000) },
    ]);
    expect(await db.repository(Week).get(3)).toMatchObject({
      label: "02/06/2025 - 08/06/2025",
      isBonusWeek: true,
      weekSpecificBonusPayrate: 12.5,
      weekSpecificBonusStartDay: 0,
      weekSpecificBonusStartTime: "08:00",
      weekSpecificEnableTaskBonus: true,
      useGlobalBonusSettings: false,
      officeHourCount: 2,
      officeHourPayrate: 20.25,
    });
    expect(await db.repository(FeedbackFile).list()).toMatchObject([
      { taskId: 10, content: "# Fine" },
      { taskId: 11, content: null },
    ]);
    expect(await db.repository(AppSetting).count()).toBe(5);
    expect(await db.repository(TaskEvent).list({ where: { taskId: 10 } })).toMatchObject([
      { eventType: "task_created", userAction: "migration", durationChange: 3_723 },
    ]);
    expect(await checkIntegrity(db)).toEqual([]);
  });

  it("leaves the old file as it was, and one new file", async () => {
    using folder = temporaryFolder();
    const source = legacyFile(folder.path);
    const before = hashOf(source);

    await migrateLegacy(source, join(folder.path, "auditor.db"));

    expect(hashOf(source)).toBe(before);
    expect(readdirSync(folder.path).sort()).toEqual(["auditor.db", "tasks.db"]);
  });

  it("fills the columns that an older file does not have", async () => {
    using folder = temporaryFolder();
    const source = join(folder.path, "tasks.db");
    using old = new DatabaseSync(source);
    old.exec(`
      CREATE TABLE weeks (id INTEGER PRIMARY KEY, week_label TEXT);
      CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER, duration TEXT, mood TEXT);
      INSERT INTO weeks VALUES (1, 'old');
      INSERT INTO tasks VALUES (1, 1, '00:01:00', 'good');`);
    old.close();
    const target = join(folder.path, "auditor.db");

    const report = await migrateLegacy(source, target);

    expect(report.ignoredColumns).toEqual(["tasks.mood"]);
    await using db = await openAuditor(target);
    expect(await db.repository(Week).get(1)).toMatchObject({ weekEndDay: 7, weekEndHour: 23 });
    expect(await db.repository(Task).get(1)).toMatchObject({ durationSeconds: 60, score: 0 });
  });
});

const BAD = `
  INSERT INTO weeks (id, week_label, week_end_hour) VALUES (1, 'good', 23), (2, 'bad', 99);
  INSERT INTO tasks (id, week_id, duration, date_audited, score) VALUES
    (1, 1, '00:10:00', '2025-06-02', 1),
    (2, 1, 'ten minutes', '2025-06-02', 1),
    (3, 1, '00:10:00', '02.06.2025', 'good'),
    (4, 2, '00:10:00', NULL, 1),
    (5, 77, '00:10:00', NULL, 1),
    (6, 1, x'00ff', NULL, 1);
  INSERT INTO feedback_files (id, task_id, content) VALUES (1, 1, 'kept'), (2, 2, 'left out');
  INSERT INTO app_settings VALUES (1, 'threshold', 'many', 'integer'), (2, 'x', '1', 'number');`;

describe("a file with rows that cannot be converted", () => {
  it("is refused, with every row and its reason; nothing is left of the new file", async () => {
    using folder = temporaryFolder();
    const source = legacyFile(folder.path, BAD);
    const before = hashOf(source);

    const done = migrateLegacy(source, join(folder.path, "auditor.db"));

    await expect(done).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining("9 rows cannot be converted"),
      fields: {
        tables: [
          { refused: { first: [{ line: 2, column: "week_end_hour", value: "99" }] } },
          {
            refused: {
              rows: 5,
              first: [
                { line: 2, column: "duration", value: "ten minutes" },
                { line: 3, column: "date_audited", value: "02.06.2025" },
                { line: 3, column: "score", value: "good" },
                { line: 4, column: "week_id", value: "2" },
                { line: 5, column: "week_id", value: "77" },
                { line: 6, column: "duration", reason: "is binary where a text belongs" },
              ],
            },
          },
          { refused: { first: [{ line: 2, column: "task_id", value: "2" }] } },
          {
            refused: {
              first: [
                { line: 1, column: "setting_value", value: "many" },
                { line: 2, column: "setting_type", value: "number" },
              ],
            },
          },
        ],
      },
    });
    expect(hashOf(source)).toBe(before);
    expect(readdirSync(folder.path)).toEqual(["tasks.db"]);
  });

  it("is migrated without them when that is asked for", async () => {
    using folder = temporaryFolder();
    const target = join(folder.path, "auditor.db");

    const report = await migrateLegacy(legacyFile(folder.path, BAD), target, { skipBad: true });

    expect(report.tables).toMatchObject([
      { table: "weeks", read: 2, migrated: 1, refused: { rows: 1 } },
      { table: "tasks", read: 6, migrated: 1, refused: { rows: 5 } },
      { table: "feedback_files", read: 2, migrated: 1, refused: { rows: 1 } },
      { table: "app_settings", read: 2, migrated: 0, refused: { rows: 2 } },
    ]);
    await using db = await openAuditor(target);
    expect(await db.repository(Task).count()).toBe(1);
    expect(await checkIntegrity(db)).toEqual([]);
  });
});

describe("a migration that cannot be done", () => {
  it("does not touch a target that is there", async () => {
    using folder = temporaryFolder();
    const source = legacyFile(folder.path);
    const target = join(folder.path, "auditor.db");
    writeFileSync(target, "mine");

    await expect(migrateLegacy(source, target)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(readFileSync(target, "utf8")).toBe("mine");
  });

  it("refuses a database that is not the origin's", async () => {
    using folder = temporaryFolder();
    const source = join(folder.path, "other.db");
    using other = new DatabaseSync(source);
    other.exec("CREATE TABLE weeks (id INTEGER PRIMARY KEY, name TEXT)");
    other.close();

    const done = migrateLegacy(source, join(folder.path, "auditor.db"));

    await expect(done).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      fields: { table: "weeks", missing: ["week_label"] },
    });
    expect(readdirSync(folder.path)).toEqual(["other.db"]);
  });

  it("refuses a file that is no database, and one that is not there", async () => {
    using folder = temporaryFolder();
    const target = join(folder.path, "auditor.db");
    const text = join(folder.path, "tasks.db");
    writeFileSync(text, "this is not a database, but it is long enough to look at".repeat(50));

    await expect(migrateLegacy(text, target)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
    await expect(migrateLegacy(join(folder.path, "none.db"), target)).rejects.toMatchObject({
      code: "UNOPENABLE",
    });
    expect(existsSync(target)).toBe(false);
  });

  it("leaves nothing when it is given up half-way", async () => {
    using folder = temporaryFolder();
    const source = legacyFile(folder.path);
    const stop = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 4) stop.abort();
    };

    const done = migrateLegacy(source, join(folder.path, "auditor.db"), {
      signal: stop.signal,
      onProgress,
    });

    await expect(done).rejects.toThrow();
    expect(readdirSync(folder.path)).toEqual(["tasks.db"]);
  });
});
