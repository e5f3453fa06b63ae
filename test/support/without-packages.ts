/** Programs that run where no package is installed, as with a user who needs none. */

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");

/** Runs a module that stands beside `src`. @returns what it prints, which is JSON. */
export async function runWithoutPackages(lines: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-alone-"));
  try {
    for (const part of ["src", "package.json"]) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    const path = join(folder, "main.ts");
    writeFileSync(path, lines);
    const { stdout } = await promisify(execFile)(process.execPath, [path]);
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
