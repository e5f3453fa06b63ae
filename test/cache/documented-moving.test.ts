/** Every line of docs/guide/cache-moving.md is run, in its order, and gives what it says. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Line {
  readonly call: string;
  readonly gives: string;
}

it("the calls that take the place of others do what they are said to do", async () => {
  const guide = await readFile(join(root, "docs/guide/cache-moving.md"), "utf8");
  const [, setup = ""] = /```ts\n(.*?)```/s.exec(guide) ?? [];
  const lines = linesOf(guide);

  const printed = await outputOf(programOf(setup, lines));

  expect(lines.length).toBeGreaterThan(55);
  expect(printed.map((gives, index) => ({ call: lines[index]?.call, gives }))).toEqual(lines);
});

/** The rows that have a call; the others say that there is nothing to do. */
function linesOf(guide: string): readonly Line[] {
  const rows = guide.matchAll(/^\| .+? \| `([^|]+)` \| (?:`([^|]+)`|nothing) \|$/gm);
  return [...rows].map(([, call = "", gives = "nothing"]) => ({ call, gives }));
}

function programOf(setup: string, lines: readonly Line[]): string {
  const shown = lines.map(({ call }) => `show(await (${call}));`);
  const show = "const show = (value: unknown) => console.log(JSON.stringify(value) ?? 'nothing');";
  return [setup, show, ...shown].join("\n");
}

async function outputOf(program: string): Promise<readonly string[]> {
  // Inside the package, so that "springhouse" resolves to it.
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "moving-"));
  try {
    await writeFile(join(folder, "program.ts"), program);
    const words = ["--conditions=springhouse-source", "program.ts"];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: folder });
    return stdout.trimEnd().split("\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}
