import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { runCli } from "../../examples/auditor/cli.ts";
import { openAuditor } from "../../examples/auditor/database.ts";
import { Drawing } from "../../examples/auditor/watch.ts";
import { temporaryFolder } from "./auditor-database.ts";

/** A database with a week of two tasks. */
async function makeWeek(folder: string): Promise<string> {
  const path = join(folder, "auditor.db");
  await using db = await openAuditor(path);
  const auditor = new Auditor(db);
  const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
  await auditor.createTask({ weekId, projectName: "Atlas", durationSeconds: 60, score: 4 });
  await auditor.createTask({ weekId, projectName: "Borealis", durationSeconds: 60, score: 4 });
  return path;
}

/** What a command writes, as it comes. */
class Output {
  readonly isTTY: boolean;
  readonly columns = 60;
  readonly rows = 30;
  text = "";
  #wanted: { readonly pattern: RegExp; readonly resolve: () => void } | undefined;

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
    if (this.#wanted?.pattern.test(this.text)) this.#wanted.resolve();
  }

  /** Waits until all that was written matches. */
  async until(pattern: RegExp): Promise<void> {
    if (pattern.test(this.text)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wanted = { pattern, resolve };
    await promise;
  }
}

interface Watching {
  readonly output: Output;
  readonly code: Promise<number>;
  stop(): void;
}

function watch(path: string, isTTY: boolean, ...words: string[]): Watching {
  const output = new Output(isTTY);
  const controller = new AbortController();
  const terminal = { stdout: output, stderr: output, signal: controller.signal };
  const code = runCli(["--db", path, "watch", ...words], terminal);
  return { output, code, stop: () => controller.abort() };
}

describe("auditor watch", () => {
  it("tells of each change that another program makes, in one line", async () => {
    using folder = temporaryFolder();
    const path = await makeWeek(folder.path);
    using plain = new DatabaseSync(path, { timeout: 5_000 });
    const { output, code, stop } = watch(path, false, "2025-W23");

    await output.until(/2 tasks {2}00:02:00/);
    plain.exec("DELETE FROM tasks WHERE id = 2");
    await output.until(/1 task {2}00:01:00/);
    stop();

    expect(await code).toBe(130);
    expect(output.text).toBe(
      "2025-W23  2 tasks  00:02:00  score 4.00  0.0 % within time limit  newest 2 Borealis\n" +
        "2025-W23  1 task  00:01:00  score 4.00  0.0 % within time limit  newest 1 Atlas\n",
    );
  });

  it("redraws in place on a terminal", async () => {
    using folder = temporaryFolder();
    const path = await makeWeek(folder.path);
    using plain = new DatabaseSync(path, { timeout: 5_000 });
    const { output, code, stop } = watch(path, true, "2025-W23", "--limit", "1");

    await output.until(/Week 2025-W23 \(Ctrl-C ends\)\n {2}tasks +2\n[\s\S]*Newest tasks/);
    const first = output.text;
    plain.exec("UPDATE tasks SET score = 2");
    await output.until(/average score +2\n[\s\S]*Newest tasks/);
    stop();

    expect(await code).toBe(130);
    const lines = first.trimEnd().split("\n").length;
    expect(output.text.slice(first.length)).toMatch(
      new RegExp(`^\\u001b\\[${lines}A\\r\\u001b\\[JWeek 2025-W23`),
    );
    expect(first).toMatch(/Borealis/);
  });

  it("shows all weeks without a label, with --json a line for each state", async () => {
    using folder = temporaryFolder();
    const path = await makeWeek(folder.path);
    using plain = new DatabaseSync(path, { timeout: 5_000 });
    const { output, code, stop } = watch(path, true, "--json");

    await output.until(/"tasks":2.*\n/);
    plain.exec("INSERT INTO weeks (week_label) VALUES ('2025-W24')");
    await output.until(/W24.*\n/);
    stop();

    expect(await code).toBe(130);
    const [first, second] = output.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const week = { id: 1, label: "2025-W23", tasks: 2, durationSeconds: 120 };
    expect(first).toEqual({ weeks: [week] });
    expect(second).toEqual({
      weeks: [week, { id: 2, label: "2025-W24", tasks: 0, durationSeconds: 0 }],
    });
  });

  it("ends with an error when the week is none, or is deleted", async () => {
    using folder = temporaryFolder();
    const path = await makeWeek(folder.path);
    using plain = new DatabaseSync(path, { timeout: 5_000 });

    const none = watch(path, false, "2030-W01");
    expect(await none.code).toBe(1);
    const deleted = watch(path, false, "2025-W23");
    await deleted.output.until(/2 tasks/);
    plain.exec("DELETE FROM weeks");

    expect(await deleted.code).toBe(1);
    expect(none.output.text).toContain("error NOT_FOUND: There is no week");
    expect(deleted.output.text).toContain("error NOT_FOUND: There is no week 1.");
  });

  it("is a process that ends with 130 on Ctrl-C, and says nothing then", async () => {
    using folder = temporaryFolder();
    const path = await makeWeek(folder.path);
    const cli = join(import.meta.dirname, "../../examples/auditor/cli.ts");
    const words = ["--db", path, "watch", "2025-W23", "--json"];

    const child = spawn(process.execPath, ["--conditions=springhouse-source", cli, ...words]);
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const exit = once(child, "exit");
    const lines: unknown[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(JSON.parse(line));
      child.kill("SIGINT");
    }

    expect(await exit).toEqual([130, null]);
    expect(err).toBe("");
    expect(lines).toMatchObject([{ label: "2025-W23", statistics: { totalTasks: 2 } }]);
  });

  it("explains itself", async () => {
    const output = new Output(false);
    const terminal = { stdout: output, stderr: output, signal: new AbortController().signal };

    expect(await runCli(["watch", "--help"], terminal)).toBe(0);
    expect(output.text).toContain("auditor watch 2025-W23 --limit 10");
    expect(await runCli(["watch", "--limit", "3"], terminal)).toBe(2);
  });
});

describe("a drawing", () => {
  it("is cut to the screen, so that the next one finds its top", () => {
    let written = "";
    const write = (text: string): void => {
      written += text;
    };
    const drawing = new Drawing({ isTTY: true, columns: 3, rows: 3, write });

    drawing.draw("abcdef\nsecond\nthird\n");
    drawing.draw("x\n");

    expect(written).toBe("\r\u001b[Jabc\nsec\n\u001b[2A\r\u001b[Jx\n");
  });

  it("is shown on a terminal that does not know its size", () => {
    let written = "";
    const write = (text: string): void => {
      written += text;
    };

    new Drawing({ isTTY: true, columns: 0, rows: 0, write }).draw("abc\ndef\n");

    expect(written).toBe("\r\u001b[Jabc\ndef\n");
  });
});
