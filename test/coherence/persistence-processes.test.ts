/** Results that outlive their process, however it ends. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { weeksFile } from "./persistence-support.ts";
import { openPlainly } from "./support.ts";

/** Runs the child until it has spoken, and kills it. */
async function runAndKill(...args: readonly string[]): Promise<unknown> {
  const script = join(import.meta.dirname, "persistence-child.ts");
  const child = spawn(process.execPath, ["--conditions=springhouse-source", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  return JSON.parse(String(said));
}

it("a process that is killed leaves its results to the next one, as long as they are right", async () => {
  const { path, tierPath } = await weeksFile();

  expect(await runAndKill(path, tierPath)).toEqual({ tier: "memory", count: 4 });
  openPlainly(path).exec("UPDATE weeks SET label = 'x'");
  expect(await runAndKill(path, tierPath, "write")).toEqual({ tier: "sqlite", count: 4 });
  expect(await runAndKill(path, tierPath)).toEqual({ tier: "memory", count: 4 });
  openPlainly(path).exec("DELETE FROM tasks WHERE id = 4");
  expect(await runAndKill(path, tierPath)).toEqual({ tier: "memory", count: 3 });
});
