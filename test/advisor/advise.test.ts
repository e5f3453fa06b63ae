import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { advise } from "../../src/advisor/advise.ts";
import type { AdviseOptions } from "../../src/advisor/options.ts";
import { parseWorkload } from "../../src/advisor/workload.ts";
import { makeDatabase, rowsOf } from "./support.ts";

const DOCUMENTS = [
  `CREATE TABLE documents (id INTEGER PRIMARY KEY, slug TEXT UNIQUE, author INTEGER,
    written INTEGER, body TEXT)`,
  rowsOf("documents", 30_000, "i", "'d' || i", "i % 500", "i * 7919 % 100003", "hex(zeroblob(60))"),
];
const NEWEST = "SELECT * FROM documents WHERE author = ? ORDER BY written DESC LIMIT 20";

function ask(path: string, script: string, options: Partial<AdviseOptions> = {}) {
  // A fast machine reads all of these rows in a millisecond.
  return advise({ path, workload: parseWorkload(script, "test"), savedMin: 0.1, ...options });
}

describe("a missing index on two columns", () => {
  it.each(["sample", "copy"] as const)("is found, and proved on a %s", async (measureOn) => {
    const path = makeDatabase(...DOCUMENTS);
    const hash = () => createHash("sha256").update(readFileSync(path)).digest("hex");
    const before = hash();

    const report = await ask(path, `${NEWEST}; SELECT * FROM documents WHERE slug = ?`, {
      measureOn,
      sampleRows: 20_000,
    });

    expect(report.advice).toEqual([
      {
        action: "create",
        reason: "missing",
        index: "idx_documents_author_written",
        table: "documents",
        columns: ["author", "written"],
        message: expect.stringMatching(/^documents has no index on \(author, written\), by which/),
        speedup: expect.any(Number),
        proofs: [
          {
            sql: NEWEST,
            count: 1,
            planBefore: ["SCAN documents", "USE TEMP B-TREE FOR ORDER BY"],
            planAfter: ["SEARCH documents USING INDEX idx_documents_author_written (author=?)"],
            beforeMs: expect.any(Number),
            beforeIsAtLeast: false,
            afterMs: expect.any(Number),
          },
        ],
        bytes: expect.any(Number),
        writeUsPerRow: expect.any(Number),
        buildMs: expect.any(Number),
        up: 'CREATE INDEX "idx_documents_author_written" ON "documents" ("author", "written")',
        down: 'DROP INDEX "idx_documents_author_written"',
      },
    ]);
    expect(report.advice[0]?.speedup).toBeGreaterThan(5);
    expect(report.advice[0]?.bytes).toBeGreaterThan(300_000);
    expect(report).toMatchObject({ measuredOn: measureOn, rejected: [], statements: 2 });
    expect(hash()).toBe(before);
    expect(readdirSync(dirname(path))).toEqual(["app.db"]);
    const ours = new RegExp(`^springhouse-[0-9a-f]{8}-${process.pid}-`);
    expect(readdirSync(tmpdir()).filter((name) => ours.test(name))).toEqual([]);
  });
});

describe("advice", () => {
  it("is silent where tables are small or have the indexes that they need", async () => {
    const path = makeDatabase(
      ...DOCUMENTS,
      "CREATE INDEX by_author ON documents (author, written)",
      "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT)",
      rowsOf("tags", 900, "i", "'t' || i"),
    );

    const report = await ask(path, `${NEWEST}; SELECT * FROM tags WHERE name = ? ORDER BY id`);

    expect(report).toMatchObject({ advice: [], measuredOn: undefined });
  });

  it("serves several statements with one index, and names what does not pay", async () => {
    const path = makeDatabase(...DOCUMENTS);
    const both = "SELECT id FROM documents WHERE author = ? AND written > ?";
    const author = "SELECT count(*) FROM documents WHERE author = ?";
    const unlikely = "SELECT * FROM documents WHERE body LIKE ?";

    const report = await ask(path, [NEWEST, both, author, unlikely].join(";"));

    expect(report.advice.map(({ columns }) => columns)).toEqual([["author", "written"]]);
    expect(report.advice[0]?.proofs.map(({ sql }) => sql)).toEqual([NEWEST, both, author]);
  });

  it("weighs what an index saves against what its writes cost", async () => {
    const path = makeDatabase(...DOCUMENTS);
    const insert = "INSERT INTO documents (author, written) VALUES (?, ?)";
    const statement = (sql: string, count: number) => ({ sql, count, totalMs: 0, rows: count });
    const workload = {
      statements: [statement(NEWEST, 1), statement(insert, 1e12)],
      recordedMs: 0,
    };

    const report = await advise({ path, workload, savedMin: 0.1 });

    expect(report.advice).toEqual([]);
    expect(report.rejected[0]).toMatchObject({
      what: expect.stringContaining("CREATE INDEX"),
      reason: expect.stringMatching(/in the workload, and its writes cost/),
    });
  });

  it("names statements that it cannot judge", async () => {
    const path = makeDatabase(...DOCUMENTS);

    const { rejected } = await ask(
      path,
      "SELECT * FROM missing_table; SELECT * FROM documents WHERE author = abs(?) + written",
    );

    expect(rejected).toContainEqual({
      what: "SELECT * FROM missing_table",
      reason: "no such table: missing_table",
    });
  });

  it("lists slow statements with their plans", async () => {
    const path = makeDatabase(...DOCUMENTS);
    const sql = "SELECT count(*) FROM documents WHERE body LIKE ?";
    const statements = [
      { sql, count: 3, totalMs: 600, rows: 3 },
      { sql: "SELECT 1", count: 9, totalMs: 9, rows: 9 },
    ];

    const { slow } = await advise({ path, workload: { statements, recordedMs: 0 } });

    expect(slow).toEqual([{ sql, count: 3, meanMs: 200, plan: ["SCAN documents"] }]);
  });

  it("is not asked of a file that is not there", async () => {
    await expect(ask("/nowhere/app.db", "SELECT 1")).rejects.toMatchObject({ code: "UNOPENABLE" });
  });
});

describe("a partial index", () => {
  it("serves the statements that repeat its condition, so that none is missing", async () => {
    const path = makeDatabase(
      `CREATE TABLE flashcards (id INTEGER PRIMARY KEY, word TEXT, translation TEXT,
        difficulty INTEGER, is_processed INTEGER, stage1_processed INTEGER, created_at INTEGER)`,
      rowsOf(
        "flashcards",
        10_000,
        "i",
        "'w' || i",
        "'t' || i",
        "i % 5",
        "i % 2",
        "i % 20 > 0",
        "i * 7919 % 100003",
      ),
      "CREATE INDEX idx_flashcards_word ON flashcards (word)",
      "CREATE INDEX idx_flashcards_difficulty ON flashcards (difficulty)",
      `CREATE INDEX idx_flashcards_processed_created
        ON flashcards (is_processed, created_at)`,
      `CREATE INDEX idx_flashcards_stage1_processed
        ON flashcards (stage1_processed, created_at) WHERE stage1_processed = 0`,
    );
    const next = "SELECT * FROM flashcards WHERE stage1_processed = 0 ORDER BY created_at LIMIT 10";
    const statements = [
      next,
      "SELECT * FROM flashcards WHERE word = ?",
      "SELECT count(*) FROM flashcards WHERE difficulty = ?",
      "SELECT * FROM flashcards WHERE is_processed = ? ORDER BY created_at LIMIT 10",
    ].map((sql) => ({ sql, count: 1, totalMs: sql === next ? 100 : 0, rows: 10 }));

    const report = await advise({ path, workload: { statements, recordedMs: 0 } });

    expect(report).toMatchObject({
      advice: [],
      slow: [
        {
          sql: next,
          plan: [
            "SEARCH flashcards USING INDEX idx_flashcards_stage1_processed (stage1_processed=?)",
          ],
        },
      ],
    });
  });
});

describe("an index that could go", () => {
  const wide = rowsOf("t", 4_000, "i", "'a long text of a column ' || (i % 50)", "i");
  const table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER)";
  const search = "SELECT * FROM t WHERE a = ? AND b = ?; SELECT * FROM t WHERE a = ?";

  it("repeats another one, or its first columns", async () => {
    const path = makeDatabase(
      table,
      wide,
      "CREATE INDEX first ON t (a, b)",
      "CREATE INDEX again ON t (a, b)",
      "CREATE INDEX shorter ON t (a)",
      "CREATE INDEX other ON t (b, a)",
      "CREATE INDEX part ON t (a) WHERE b > 5",
      "CREATE UNIQUE INDEX rule ON t (a, b, id)",
    );

    const report = await ask(path, search, { droppedBytesMin: 1_000 });

    expect(report.advice).toMatchObject([
      {
        action: "drop",
        reason: "prefix",
        index: "shorter",
        up: 'DROP INDEX "shorter"',
        down: "CREATE INDEX shorter ON t (a)",
      },
      { index: "again", message: "again on t (a, b) has the same columns as first." },
      { index: "first", reason: "prefix" },
    ]);
    expect(report.advice.every(({ bytes }) => bytes > 50_000)).toBe(true);
  });

  it("is left alone while it takes little room", async () => {
    const path = makeDatabase(table, wide, "CREATE INDEX x ON t (a)", "CREATE INDEX y ON t (a)");

    const { advice, rejected } = await ask(path, search);

    expect(advice).toEqual([]);
    expect(rejected).toMatchObject([{ reason: expect.stringMatching(/^it takes only/) }]);
  });

  it("is used by nothing in a long recording, unless a foreign key or a rule needs it", async () => {
    const path = makeDatabase(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER REFERENCES t (id), c INTEGER)",
      rowsOf("t", 4_000, "i", "'x' || i", "NULL", "i"),
      "CREATE INDEX unused ON t (c)",
      "CREATE INDEX used ON t (a)",
      "CREATE INDEX by_key ON t (b)",
      "CREATE UNIQUE INDEX rule ON t (c, id)",
    );
    const { statements } = parseWorkload("SELECT * FROM t WHERE a = ?", "test");
    const recorded = (recordedMs: number) =>
      advise({ path, workload: { statements, recordedMs }, droppedBytesMin: 1_000 });

    const week = await recorded(7 * 86_400_000);
    const day = await recorded(86_400_000);

    expect(week.advice.filter(({ reason }) => reason === "unused")).toMatchObject([]);
    expect(week.advice.map(({ index }) => index)).toEqual(["unused"]);
    expect(day.advice.map(({ reason }) => reason)).toEqual(["prefix"]);
  });
});

describe("a statement that runs away", () => {
  const ENDLESS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT count(*) FROM n JOIN documents ON author = i`;

  it("is killed, and the rest goes on", async () => {
    const path = makeDatabase(...DOCUMENTS);

    const report = await ask(path, `${ENDLESS}; ${NEWEST}`, { statementTimeout: "300ms" });

    expect(report.advice.map(({ columns }) => columns)).toEqual([["author", "written"]]);
    expect(report.advice[0]?.proofs.map(({ sql }) => sql)).toEqual([NEWEST]);
    expect(report.rejected).toContainEqual({
      what: ENDLESS,
      reason: expect.stringMatching(/^it was stopped before and after/),
    });
  });

  it("ends at once when the advice is aborted", async () => {
    const path = makeDatabase(...DOCUMENTS);
    const controller = new AbortController();
    const onProgress: AdviseOptions["onProgress"] = ({ step }) => {
      if (step === "measure") setImmediate(() => controller.abort());
    };

    const advised = ask(path, ENDLESS, { signal: controller.signal, onProgress });

    await expect(advised).rejects.toMatchObject({ code: "ABORTED" });
  });
});
