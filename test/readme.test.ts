/** The README's example is run as printed, and prints what the README says it prints. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

it("the example of the README runs as printed", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, program = ""] = /```ts\n(import .*?)```/s.exec(readme) ?? [];
  const [, output = ""] = /```ts\nimport .*?```.*?```text\n(.*?)```/s.exec(readme) ?? [];
  // Inside the package, so that "springhouse" resolves to it.
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "readme-"));

  try {
    await writeFile(join(folder, "example.ts"), program);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=springhouse-source", "example.ts"],
      { cwd: folder },
    );

    expect(program.trim().split("\n").length).toBeGreaterThan(15);
    expect(stdout).toBe(output);
  } finally {
    await rm(folder, { recursive: true });
  }
});
