/** Every example of docs/migrations.md is run, in its order, and prints what the text below says. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const CLI = join(root, "src/cli/main.ts");

interface Block {
  readonly language: string;
  readonly text: string;
}

it("the examples of the guide run as printed", { timeout: 60_000 }, async () => {
  const guide = await readFile(join(root, "docs/migrations.md"), "utf8");
  // Inside the package, so that "springhouse" resolves to it.
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "migrations-"));

  try {
    const done = new Map<string, number>();
    let printed = "";
    for (const block of blocksOf(guide)) {
      done.set(block.language, (done.get(block.language) ?? 0) + 1);
      if (block.language === "text") expect(printed).toBe(block.text);
      else printed = await runBlock(folder, block);
    }

    expect(Object.fromEntries(done)).toEqual({ sql: 2, ts: 7, sh: 1, text: 5 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

function blocksOf(guide: string): readonly Block[] {
  const fences = guide.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...fences].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Writes a file, runs it when it is a program, runs the lines of a shell; gives the output. */
async function runBlock(folder: string, { language, text }: Block): Promise<string> {
  if (language === "sh") {
    const outputs: string[] = [];
    for (const line of text.trim().split("\n")) {
      const [, words = ""] = /^npx springhouse (.*)$/.exec(line) ?? [];
      expect(words, `${line} is a command of ours`).not.toBe("");
      outputs.push(await runNode(folder, [CLI, ...words.split(" ")]));
    }
    return outputs.join("");
  }
  const [, name = ""] = /^(?:--|\/\/) (\S+\.(?:sql|ts))\n/.exec(text) ?? [];
  expect(name, `${text} names its file`).not.toBe("");
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
  return name.includes("/") ? "" : runNode(folder, [name]);
}

async function runNode(cwd: string, argv: readonly string[]): Promise<string> {
  const words = ["--conditions=springhouse-source", ...argv];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd });
  return stdout;
}
