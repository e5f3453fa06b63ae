/** A small disk for tests that fill it. */

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder on a disk of its own, or nothing where that cannot be had. */
export function makeDisk(folder: string, size: string): string | undefined {
  const path = join(folder, "disk");
  mkdirSync(path);
  try {
    const options = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path];
    execFileSync("mount", options, { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", path], { stdio: "ignore" });
  });
  return path;
}
