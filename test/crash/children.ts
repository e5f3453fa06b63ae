/** Child processes for tests that kill them. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** A running script of this folder. */
export interface Child {
  readonly process: ChildProcess;
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  output: string;
}

/** Starts a script of this folder. */
export function start(script: string, ...parameters: string[]): Child {
  const file = join(import.meta.dirname, script);
  const child = spawn(process.execPath, [file, ...parameters], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const started: Child = { process: child, ended, output: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    started.output += text;
  });
  return started;
}

/** Resolves when the child has said so many lines, or has ended. */
export async function lines(child: Child, count: number): Promise<void> {
  const said = new Promise<void>((resolve) => {
    const look = (): void => {
      if (child.output.split("\n").length > count) resolve();
    };
    child.process.stdout?.on("data", look);
    look();
  });
  await Promise.race([said, child.ended]);
}
