import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../examples/flashcards/cli.ts";
import { runCompare } from "../../../examples/flashcards/commands.ts";
import { generateDictionary } from "../../../examples/flashcards/generate.ts";
import { temporaryFolder } from "../auditor-database.ts";

const README = join(import.meta.dirname, "../../../examples/flashcards/README.md");

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in a folder, on generated words. */
async function run(folder: string, words: readonly string[], signal: AbortSignal): Promise<Run> {
  let out = "";
  let err = "";
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const files = ["--db", join(folder, "deck.db"), "--cache", join(folder, "cache.db")];
  const argv = [...files, "--data", join(folder, "none"), ...words];
  return { code: await runCli(argv, { stdout, stderr, signal }), out, err };
}

/** The words of a line of the README, without its comment. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/\s+#|\s+&/);
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  return words.slice(1).map((word) => word.replaceAll('"', ""));
}

describe("the command line of the flashcards", () => {
  it("follows the README, word for word but for the port and the words", async () => {
    using folder = temporaryFolder();
    const [, , block = ""] = (await readFile(README, "utf8")).split("```sh\n").map((part) => {
      return part.split("```")[0] ?? "";
    });
    const commands = block.split("\n").filter((line) => line.startsWith("flashcards "));
    expect(commands.map(wordsOf).map(([name]) => name)).toEqual([
      ...["serve", "import", "run", "status", "fail", "run", "fail", "run"],
      ...["show", "update", "show", "migrate"],
    ]);
    const stop = new AbortController();
    const { signal } = new AbortController();
    let url = "";
    const listening = Promise.withResolvers<void>();
    const serve = ["--data", "none", "--json", "serve", "--port", "0", "--rate", "100000"];
    const served = runCli(serve, {
      stdout: {
        write: (text: string) => {
          url ||= (JSON.parse(text) as { readonly url: string }).url;
          listening.resolve();
        },
      },
      stderr: { write: () => undefined },
      signal: stop.signal,
    });
    await listening.promise;

    const runs: Run[] = [];
    // A generated word takes the place of the one that is shown.
    const [first] = generateDictionary();
    for (const line of commands.slice(1)) {
      const given = wordsOf(line).map((word) => (word === "그래서" ? (first?.word ?? "") : word));
      const asks = given[0] === "run" || given[0] === "fail";
      runs.push(await run(folder.path, [...given, ...(asks ? ["--server", url] : [])], signal));
    }
    const statistics: unknown = await (await fetch(`${url}/statistics`)).json();
    stop.abort();

    expect(runs.map(({ code, err }) => (code === 0 ? 0 : err))).toEqual(runs.map(() => 0));
    expect(await served).toBe(130);
    const [imported, limited, status, , again, , rest, shown, , changed, migrated] = runs;
    expect(imported?.out).toContain("1,000 new of 1,000 words from generated words");
    expect(limited?.out).toMatch(/stage2 +100 +0 +0 +0/);
    expect(status?.out).toMatch(/900 +0 +100 +0\n/);
    expect(again?.out).toMatch(/stage2 +100 +0 +0 +0/);
    expect(rest?.out).toMatch(/stage2 +800 +0 +0 +0/);
    // Three were answered with 503 and one never, and all of them asked again.
    expect(statistics).toMatchObject({ failed: 4, answered: 2_000 });
    expect(shown?.out).toContain("meaning 1\n");
    expect(JSON.parse(changed?.out ?? "")).toMatchObject({
      card: { translation: "so, therefore", isProcessed: true },
      source: "load",
    });
    expect(migrated?.out).toMatch(/9 +performance_indexes +applied/);
  }, 120_000);

  it("says what is wrong, with its exit code", async () => {
    using folder = temporaryFolder();
    const { signal } = new AbortController();

    const help = await run(folder.path, ["--help"], signal);
    const usage = await run(folder.path, ["import", "12"], signal);
    const nothing = await run(folder.path, ["update", "말"], signal);
    const none = await run(folder.path, ["status", "--json"], signal);
    const away = await run(folder.path, ["import"], signal).then(() =>
      run(folder.path, ["run", "--server", "http://127.0.0.1:1"], signal),
    );
    const missing = await run(folder.path, ["show", "없는말"], signal);

    expect(help).toMatchObject({ code: 0, out: expect.stringContaining("Examples:") });
    expect([usage.code, nothing.code]).toEqual([2, 2]);
    expect(none.code).toBe(1);
    expect(JSON.parse(none.out)).toMatchObject({ ok: false, error: { code: "UNOPENABLE" } });
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining("Start the server") });
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("NOT_FOUND") });
  });
});

describe("the comparison", () => {
  it("makes the same cards in both runs, and prints what it has measured", async () => {
    using folder = temporaryFolder();
    const { signal } = new AbortController();
    const silent = { write: () => undefined };
    const context = {
      ...{ path: "", cachePath: "", dataFolder: join(folder.path, "none"), signal },
      ...{ stdout: silent, stderr: silent, isJson: false },
    };
    const sizes = {
      cards: 40,
      deck: 1_000,
      reads: 1_000,
      latencyMs: 1,
      requestsPerSecond: 100_000,
    };

    const { ok, data, text } = await runCompare(context, { ...sizes, check: false });

    expect(ok).toBe(true);
    expect(data).toMatchObject({
      source: expect.stringContaining("generated"),
      cards: 40,
      different: [],
      after: { stage1: { saved: 40 }, stage2: { saved: 40 } },
      again: { stage1: { saved: 0 }, stage2: { saved: 0 } },
      outage: { asked: 40, stale: 40, failed: 0, state: "open" },
      warm: { warmed: 500, reads: 1_000 },
      monitoring: { pool: { timeouts: 0 } },
    });
    const { before, after, speedup, cold, warm } = data as {
      readonly before: { readonly seconds: number };
      readonly after: { readonly seconds: number };
      readonly speedup: number;
      readonly cold: { readonly hitRate: number };
      readonly warm: { readonly hitRate: number };
    };
    expect(speedup).toBe(before.seconds / after.seconds);
    expect(warm.hitRate).toBeGreaterThan(0.9);
    expect(cold.hitRate).toBeLessThan(warm.hitRate);
    expect(text).toMatch(/times faster +[\d.]+ \((ok|MISSED): 7\.5 or more\)/);
    expect(text).toMatch(/hit rate +[\d.]+ % +[\d.]+ % \(ok: over 90 %\)/);
    expect(text).toMatch(/cards that differ +0\n/);
  });
});
