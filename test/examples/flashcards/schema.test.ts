import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../examples/flashcards/cli.ts";
import {
  addWords,
  migratorOf,
  openFile,
  openFlashcards,
} from "../../../examples/flashcards/database.ts";
import { generateDictionary } from "../../../examples/flashcards/generate.ts";
import { measureIndexes } from "../../../examples/flashcards/index-speed.ts";
import { queueSql } from "../../../examples/flashcards/pipeline.ts";
import { temporaryFolder } from "../auditor-database.ts";

const WORDS = generateDictionary(500).map(({ word, wordType }) => ({ word, wordType }));

describe("the migrations of the deck", () => {
  it("make what the entity declares, and can be taken back", async () => {
    using folder = temporaryFolder();
    await using db = await openFile(join(folder.path, "deck.db"));
    const migrator = await migratorOf(db);

    await migrator.up();
    const report = await migrator.verify();
    await migrator.down({ to: 0 });

    expect(report).toMatchObject({ ok: true });
    const { rows } = await db.execute("SELECT name FROM sqlite_schema WHERE name = 'flashcards'");
    expect(rows).toEqual([]);
  });

  it("give the indexes the guide's names, and the partial one its condition", async () => {
    using folder = temporaryFolder();
    await using db = await openFlashcards(join(folder.path, "deck.db"));

    const { rows } = await db.execute(
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%flashcards%' ORDER BY name",
    );
    const partial = await db.execute(
      "SELECT sql FROM sqlite_schema WHERE name = 'idx_flashcards_stage1_processed'",
    );

    expect(rows.map(({ name }) => name)).toEqual([
      "idx_flashcards_difficulty",
      "idx_flashcards_processed_created",
      "idx_flashcards_stage1_processed",
      "idx_flashcards_word",
    ]);
    expect(partial.rows[0]?.["sql"]).toMatch(
      /\("stage1_processed", "created_at"\)\s+WHERE stage1_processed = 0/,
    );
  });

  it.each([
    [
      "SELECT * FROM flashcards WHERE word = ?",
      "SEARCH flashcards USING INDEX idx_flashcards_word",
    ],
    [
      "SELECT * FROM flashcards WHERE difficulty = ?",
      "SEARCH flashcards USING INDEX idx_flashcards_difficulty",
    ],
    [queueSql("stage1_processed = 0"), "idx_flashcards_stage1_processed"],
    [queueSql("is_processed = 0 AND stage1_processed = 1"), "idx_flashcards_processed_created"],
  ])("answer %s from an index, without sorting", async (sql, plan) => {
    using folder = temporaryFolder();
    await using db = await openFlashcards(join(folder.path, "deck.db"));

    const values = [1, 1, 1].slice(0, sql.split("?").length - 1);
    const { rows } = await db.execute(`EXPLAIN QUERY PLAN ${sql}`, values);

    const details = rows.map(({ detail }) => detail).join("; ");
    expect(details).toContain(plan);
    expect(details).not.toContain("TEMP B-TREE");
  });

  it("are applied one by one by their files, but none before its predecessors", async () => {
    using folder = temporaryFolder();
    const db = join(folder.path, "deck.db");
    let printed = "";
    const stream = { write: (text: string) => (printed += text) };
    const { signal } = new AbortController();
    const run = (...words: string[]): Promise<number> =>
      runCli(["--db", db, "migrate", ...words], { stdout: stream, stderr: stream, signal });

    expect(await run("--migration", "009_performance_indexes.sql")).toBe(1);
    expect(printed).toContain("MIGRATION_OUT_OF_ORDER");
    expect(await run("--migration", "soon.sql")).toBe(2);
    expect(await run("--migration", "001_flashcards.sql")).toBe(0);
    expect(await run("--migration", "009_performance_indexes.sql", "--json")).toBe(0);

    const last = JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "") as {
      readonly migrations: readonly { readonly version: number; readonly state: string }[];
    };
    expect(last.migrations).toMatchObject([
      { version: 1, state: "applied" },
      { version: 9, state: "applied" },
    ]);
  });

  it("are measured by the same queries before and after", async () => {
    using folder = temporaryFolder();

    const [card, queue] = await measureIndexes(join(folder.path, "indexes.db"), WORDS);

    expect(card).toMatchObject({
      planBefore: "SCAN flashcards",
      planAfter: expect.stringContaining("idx_flashcards_word"),
    });
    expect(queue).toMatchObject({
      planBefore: expect.stringContaining("SCAN flashcards"),
      planAfter: expect.stringContaining("idx_flashcards_stage1_processed"),
    });
    expect(card?.beforeMs).toBeGreaterThan(0);
    expect(queue?.afterMs).toBeGreaterThan(0);
  });
});

describe("words of a list", () => {
  it("are added in one transaction, each once, in one form of Unicode", async () => {
    using folder = temporaryFolder();
    await using db = await openFlashcards(join(folder.path, "deck.db"));

    const added = await addWords(db, WORDS);
    const again = await addWords(db, [
      ...WORDS.map(({ word }) => ({ word: word.normalize("NFD") })),
      { word: "새말" },
    ]);

    expect([added, again]).toEqual([500, 1]);
  });

  it("leave nothing when one of them cannot be a word", async () => {
    using folder = temporaryFolder();
    await using db = await openFlashcards(join(folder.path, "deck.db"));

    await expect(addWords(db, [...WORDS, { word: "" }])).rejects.toMatchObject({
      code: "CONSTRAINT",
    });

    const { rows } = await db.execute("SELECT count(*) AS n FROM flashcards");
    expect(rows).toEqual([{ n: 0 }]);
  });
});
