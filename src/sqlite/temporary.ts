/**
 * Folders of temporary databases: removed at close, and at the latest when the process ends.
 *
 * A process that is killed removes nothing. So a folder has the process in its name, and the first
 * one that a later process makes removes those whose process is gone. The numbers of processes mean
 * nothing on another machine or in another container that shares the folder, so the name says as
 * well where they count.
 */

import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { hashText } from "../core/hash.ts";

/** Abandoned folders that one process removes; the next one goes on. */
const SWEPT_MAX = 32;

const folders = new Set<string>();
let hasSwept = false;

/** Makes a folder that only its owner can read. */
export function makeTemporaryFolder(): string {
  if (!hasSwept) sweep();
  hasSwept = true;
  const folder = mkdtempSync(join(tmpdir(), `${prefix()}${process.pid}-`));
  if (folders.size === 0) process.on("exit", removeAll);
  folders.add(folder);
  return folder;
}

/** Removes a folder and all that is in it. */
export function removeTemporaryFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
  if (folders.size === 0) process.off("exit", removeAll);
}

function removeAll(): void {
  for (const folder of folders) removeTemporaryFolder(folder);
}

/** Removes what processes of this user have left that are gone. */
function sweep(): void {
  const start = prefix();
  const abandoned = readdirSync(tmpdir())
    .filter((name) => name.startsWith(start))
    .filter((name) => isGone(Number.parseInt(name.slice(start.length), 10)))
    .slice(0, SWEPT_MAX);
  for (const name of abandoned) {
    const folder = join(tmpdir(), name);
    try {
      if (lstatSync(folder).uid !== process.geteuid?.()) continue;
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another process removes it at this moment; or nobody can, and it stays.
    }
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ESRCH";
  }
}

/** What folders of processes have in common whose numbers mean the same. */
function prefix(): string {
  return `springhouse-${hashText(`${hostname()} ${processNamespace()}`).slice(0, 8)}-`;
}

/** Containers of one host may share its name, and not the numbers of processes. */
function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
