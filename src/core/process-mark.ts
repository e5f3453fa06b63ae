/**
 * Which process wrote something down, so that another one can tell whether it is still there.
 *
 * A pid alone does not say it: pids come back, in a container at once, where the program is number
 * 1 every time. On Linux the moment at which the process started, in ticks since the boot, tells
 * two of one pid apart. Elsewhere, and on other machines, a process that cannot be seen to be gone
 * counts as there, and whoever waits for it needs a limit of time.
 */

import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A process, on a machine. */
export interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** Boot and start of the process; absent where nobody can tell. */
  readonly started?: string;
}

/** This process. */
export function thisProcess(): ProcessMark {
  const status = statusOf(process.pid);
  return {
    pid: process.pid,
    host: hostname(),
    ...(status !== undefined && { started: status.started }),
  };
}

/** Whether the process has certainly ended. */
export function isGone({ pid, host, started }: ProcessMark): boolean {
  if (host !== hostname()) return false;
  if (!takesSignals(pid)) return true;
  const status = statusOf(pid);
  if (status === undefined) return false;
  return status.isDead || (started !== undefined && started !== status.started);
}

/** States of a process that has ended and waits for its parent to ask how. */
const DEAD_STATES = ["Z", "X"];
/** Place of `starttime` behind the name of the program, which may hold spaces; see proc(5). */
const START_FIELD = 19;

function statusOf(pid: number): { readonly started: string; readonly isDead: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const [state = "", start = ""] = [fields[0], fields[START_FIELD]];
    return { started: `${boot} ${start}`, isDead: DEAD_STATES.includes(state) };
  } catch {
    return undefined;
  }
}

function takesSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
