/** Real processes over one SQLite tier. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

const PROCESSES = 4;

it("four processes that miss one key load it once, and all have its value", async () => {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-processes-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const loads = join(folder, "loads.txt");
  const script = join(import.meta.dirname, "load-child.ts");
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(
      process.execPath,
      ["--conditions=springhouse-source", script, join(folder, "cache.db"), loads],
      { stdio: ["pipe", "pipe", "inherit"] },
    ),
  );
  onTestFinished(() => children.forEach((child) => void child.kill("SIGKILL")));
  await Promise.all(children.map(({ stdout }) => once(stdout, "data")));

  const values = await Promise.all(
    children.map(async ({ stdin, stdout }) => {
      const said = once(stdout, "data");
      stdin.write("go\n");
      return String((await said)[0]).trim();
    }),
  );

  expect(readFileSync(loads, "utf8")).toBe("load\n");
  expect(values[0]).toMatch(/^value of \d+$/);
  expect(new Set(values).size).toBe(1);
});
