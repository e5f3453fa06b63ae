/** The journal between processes, and under `kill -9`: acknowledged is saved, in order. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";

const KEYS = 5;
const KILLS = Number(process.env["SPRINGHOUSE_KILLS"] ?? 8);

/** A child with a line for each thing that it has done. */
class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  #heard: (() => void)[] = [];

  constructor(folder: string) {
    const script = join(import.meta.dirname, "journal-child.ts");
    const files = [join(folder, "journal.db"), join(folder, "source.txt")];
    this.#process = spawn(process.execPath, ["--conditions=springhouse-source", script, ...files], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let rest = "";
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      for (const hear of this.#heard.splice(0)) hear();
    });
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  say(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  async until(isSo: (lines: readonly string[]) => boolean): Promise<void> {
    while (!isSo(this.lines)) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.kill("SIGKILL");
    await closed;
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What was saved, key by key, in order. */
function savedIn(folder: string): Map<string, number[]> {
  const saved = new Map<string, number[]>();
  for (const line of readFileSync(join(folder, "source.txt"), "utf8").trim().split("\n")) {
    const [key = "", value] = line.split(" ");
    saved.set(key, [...(saved.get(key) ?? []), Number(value)]);
  }
  return saved;
}

function expectInOrder(saved: ReadonlyMap<string, readonly number[]>): void {
  for (const [key, values] of saved) {
    expect(values, key).toEqual([...values].sort((a, b) => a - b));
  }
}

it("what was acknowledged is saved after kill -9, in the order of each key", async () => {
  const folder = newFolder();
  const acknowledged = new Map<string, number>();
  let next = 0;

  for (let life = 0; life < KILLS; life++) {
    const child = new Child(folder);
    await child.until((lines) => lines.includes("ready"));
    for (let index = 0; index < 200; index++) child.say(`set k${++next % KEYS} ${next}`);
    await child.until((lines) => lines.length > 1 + life * 10);
    await pause(life % 5);
    await child.kill();
    for (const line of child.lines.slice(1)) {
      const [, key = "", value] = line.split(" ");
      acknowledged.set(key, Number(value));
    }
  }
  const last = new Child(folder);
  await last.until((lines) => lines.includes("ready"));
  await pause(700);
  last.say("close");
  await last.until((lines) => lines.includes("closed"));

  const saved = savedIn(folder);
  expectInOrder(saved);
  expect(acknowledged.size).toBe(KEYS);
  for (const [key, value] of acknowledged) {
    expect(saved.get(key)?.at(-1), key).toBeGreaterThanOrEqual(value);
  }
});

it("two processes never save a key out of order, and one goes on for one that was killed", async () => {
  const folder = newFolder();
  const children = [new Child(folder), new Child(folder)] as const;
  for (const child of children) await child.until((lines) => lines.includes("ready"));
  const set = async (child: Child, value: number): Promise<void> => {
    const line = `set k${value % KEYS} ${value}`;
    child.say(line);
    await child.until((lines) => lines.includes(line));
  };

  for (let value = 1; value <= 150; value++) await set(children[value % 2 === 0 ? 0 : 1], value);
  await children[0].kill();
  for (let value = 151; value <= 200; value++) await set(children[1], value);
  await pause(1_000);
  children[1].say("close");
  await children[1].until((lines) => lines.includes("closed"));

  const saved = savedIn(folder);
  expectInOrder(saved);
  const ends = [...saved.values()].map((values) => values.at(-1));
  expect(ends.sort()).toEqual([196, 197, 198, 199, 200]);
});
