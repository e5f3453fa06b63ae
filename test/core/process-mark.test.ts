import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isGone, thisProcess } from "../../src/core/process-mark.ts";

const onLinux = test.skipIf(process.platform !== "linux");

test("a process that runs is there, with or without the moment of its start", () => {
  const { pid, host } = thisProcess();

  expect([isGone(thisProcess()), isGone({ pid, host })]).toEqual([false, false]);
  expect(isGone({ pid: process.ppid, host })).toBe(false);
});

test("a process that has ended is gone, one of another machine cannot be told", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  const mark = { ...thisProcess(), pid: child.pid ?? 0 };

  expect([isGone(mark), isGone({ ...mark, host: "elsewhere" })]).toEqual([true, false]);
});

onLinux("an earlier process of the same pid is gone", () => {
  const mark = thisProcess();

  expect(mark.started).toMatch(/^[0-9a-f-]{36} \d+$/);
  expect(isGone({ ...mark, started: `${mark.started}0` })).toBe(true);
});

onLinux("a process that was killed is gone before its parent has asked for it", async () => {
  // The shell starts a sleep, gives way to another one, and so never asks for its child.
  const shell = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"]);
  const [line] = await once(shell.stdout, "data");
  const mark = { pid: Number(String(line)), host: thisProcess().host };
  // Until it has given way the shell might still ask for its child.
  await expect.poll(() => readFileSync(`/proc/${shell.pid}/comm`, "utf8")).toBe("sleep\n");

  process.kill(mark.pid, "SIGKILL");

  await expect.poll(() => isGone(mark)).toBe(true);
  expect(() => process.kill(mark.pid, 0)).not.toThrow();
  shell.kill("SIGKILL");
});
