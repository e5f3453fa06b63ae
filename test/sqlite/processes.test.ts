/** Several processes, and the end of one. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { sql, temporaryPath } from "./support.ts";

async function run(script: string, ...parameters: string[]): Promise<string> {
  const path = join(import.meta.dirname, "processes", script);
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...parameters]);
  return stdout;
}

describe("four processes that write one file", () => {
  it("never see BUSY and lose no update", async () => {
    const path = temporaryPath();
    const database = await openDatabase({ kind: "file", path });
    await database.write([
      sql("CREATE TABLE counter (value INTEGER)"),
      sql("INSERT INTO counter VALUES (0)"),
    ]);
    await database.close();

    const outputs = await Promise.all([1, 2, 3, 4].map(() => run("counter.ts", path, "150")));

    expect(outputs).toEqual(["done", "done", "done", "done"]);
    using plain = new DatabaseSync(path);
    expect(plain.prepare("SELECT value FROM counter").get()).toEqual({ value: 600 });
  });
});

describe("a process that opens and closes the file all the time", () => {
  it("does not keep others from opening it, for writing or for reading", async () => {
    const path = temporaryPath();
    {
      using plain = new DatabaseSync(path);
      plain.exec("PRAGMA journal_mode = WAL; CREATE TABLE counter (value INTEGER)");
    }
    const script = join(import.meta.dirname, "processes", "churn.ts");
    const other = spawn(process.execPath, [script, path]);
    onTestFinished(() => void other.kill("SIGKILL"));
    await once(other.stdout, "data");

    for (let round = 0; round < 200; round++) {
      const database = await openDatabase({ kind: "file", path }, { readOnly: round % 2 === 1 });
      await database.close();
    }

    expect(other.exitCode).toBe(null);
  });
});

describe("a process that ends without closing", () => {
  it("is not held by idle threads, finishes what is under way, and removes temporary files", async () => {
    const path = temporaryPath();

    const [temporary, output] = (await run("no-close.ts", path)).split("\n");

    expect(output).toBe("written");
    expect(existsSync(dirname(temporary ?? ""))).toBe(false);
    using plain = new DatabaseSync(path);
    expect(plain.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: 2 });
  });
});

describe("a process that is killed", () => {
  it("leaves a temporary folder, which the next process removes, and not that of a live one", async () => {
    const script = join(import.meta.dirname, "processes", "killed.ts");
    const start = async (): Promise<readonly [ChildProcess, string]> => {
      const child = spawn(process.execPath, [script]);
      onTestFinished(() => void child.kill("SIGKILL"));
      const [path] = await once(child.stdout, "data");
      return [child, dirname(String(path))];
    };
    const [killed, left] = await start();
    const [, kept] = await start();
    killed.kill("SIGTERM");
    await once(killed, "exit");
    const wasLeft = existsSync(left);

    await start();

    expect(wasLeft).toBe(true);
    expect(existsSync(left)).toBe(false);
    expect(existsSync(kept)).toBe(true);
  });
});
