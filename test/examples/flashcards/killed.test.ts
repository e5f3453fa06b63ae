import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { addWords, openFlashcards } from "../../../examples/flashcards/database.ts";
import { generateDictionary } from "../../../examples/flashcards/generate.ts";
import { DictionaryServer } from "../../../examples/flashcards/server.ts";
import { temporaryFolder } from "../auditor-database.ts";

const SCRIPT = join(import.meta.dirname, "../../../examples/flashcards/cli.ts");
const WORDS = 300;
/** Words of a stage that are under way at the same time. */
const UNDER_WAY = 32;

/** A server whose requests can be waited for. */
async function startServer(): Promise<DictionaryServer> {
  const entries = generateDictionary(WORDS);
  return DictionaryServer.start({ entries, latencyMs: 2, requestsPerSecond: 100_000 });
}

function start(folder: string, url: string): ReturnType<typeof spawn> {
  const files = ["--db", join(folder, "deck.db"), "--cache", join(folder, "cache.db")];
  const argv = ["--conditions=springhouse-source", SCRIPT, ...files, "run", "--server", url];
  return spawn(process.execPath, argv, { stdio: "ignore" });
}

async function prepare(folder: string): Promise<void> {
  await using db = await openFlashcards(join(folder, "deck.db"));
  await addWords(db, generateDictionary(WORDS));
}

function counts(folder: string): { readonly first: number; readonly both: number } {
  const db = new DatabaseSync(join(folder, "deck.db"), { readOnly: true });
  try {
    const row = db
      .prepare("SELECT sum(stage1_processed) AS first, sum(is_processed) AS both FROM flashcards")
      .get();
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    return { first: Number(row?.["first"]), both: Number(row?.["both"]) };
  } finally {
    db.close();
  }
}

describe("a pipeline that is killed", () => {
  it.each([
    ["in the first stage", 100],
    ["in the second stage", WORDS + 100],
  ])(
    "%s goes on where it was, and asks again for what was under way alone",
    async (_, requests) => {
      using folder = temporaryFolder();
      await using server = await startServer();
      await prepare(folder.path);

      const first = start(folder.path, server.url);
      const ended = once(first, "exit");
      await expect
        .poll(() => server.statistics().requests, { interval: 1, timeout: 25_000 })
        .toBeGreaterThanOrEqual(requests);
      first.kill("SIGKILL");
      await ended;
      const kept = counts(folder.path);
      const [code] = await once(start(folder.path, server.url), "exit");

      expect(code).toBe(0);
      expect(counts(folder.path)).toEqual({ first: WORDS, both: WORDS });
      expect(kept.first + kept.both).toBeGreaterThan(0);
      expect(kept.both).toBeLessThan(WORDS);
      const again = server.statistics().requests - 2 * WORDS;
      expect(again).toBeGreaterThanOrEqual(0);
      expect(again).toBeLessThanOrEqual(UNDER_WAY);
    },
  );

  it("by Ctrl-C ends with 130", async () => {
    using folder = temporaryFolder();
    await using server = await startServer();
    await prepare(folder.path);

    const first = start(folder.path, server.url);
    const ended = once(first, "exit");
    await expect
      .poll(() => server.statistics().requests, { interval: 1, timeout: 25_000 })
      .toBeGreaterThanOrEqual(50);
    first.kill("SIGINT");

    expect(await ended).toEqual([130, null]);
    expect(counts(folder.path).both).toBeLessThan(WORDS);
  });
});

describe("a comparison that is ended", () => {
  it.each([
    ["SIGINT", 130, 0],
    ["SIGKILL", null, 1],
  ] as const)("by %s takes its server with it", async (signal, code, folders) => {
    using temporary = temporaryFolder();
    const argv = ["--conditions=springhouse-source", SCRIPT, "--data", "none", "compare"];
    const compared = spawn(process.execPath, argv, {
      env: { ...process.env, TMPDIR: temporary.path, TMP: temporary.path, TEMP: temporary.path },
      stdio: ["ignore", "ignore", "pipe"],
    });
    // The server writes to the same pipe, which closes when both have ended.
    const closed = once(compared, "close");

    let progress = "";
    compared.stderr.on("data", (chunk: Buffer) => {
      progress += String(chunk);
      if (/of 1,000/.test(progress)) compared.kill(signal);
    });

    expect((await closed)[0]).toBe(code);
    expect(readdirSync(temporary.path)).toHaveLength(folders);
  });
});
