/** What the guides on tuning and troubleshooting say is there and works. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMMANDS } from "../../src/cli/program.ts";

const ROOT = join(import.meta.dirname, "../..");
const GUIDES = ["tuning", "troubleshooting"] as const;

async function guide(name: string): Promise<string> {
  return await readFile(join(ROOT, `docs/guide/${name}.md`), "utf8");
}

/** The blocks of code of one language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(
    ([, code = ""]) => code,
  );
}

/** Every `springhouse …`, in blocks and in sentences. */
function commandsIn(text: string): string[] {
  const lines = blocks(text, "sh").flatMap((block) => block.split("\n"));
  const inSentences = [...text.matchAll(/`(springhouse [^`]+)`/g)].map(
    ([, command = ""]) => command,
  );
  const commands = [...lines, ...inSentences].filter((line) => /^springhouse [a-z]/.test(line));
  return commands.map((line) => (line.split("#")[0] ?? "").trim());
}

describe("the guides", () => {
  it.each(GUIDES)("name only commands and options that there are: %s", async (name) => {
    const commands = commandsIn(await guide(name));

    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      const words = command.split(" ").slice(1);
      const known = COMMANDS.find((each) => `${words.join(" ")} `.startsWith(`${each.name} `));
      expect(known, command).toBeDefined();
      const flags = (known?.options ?? []).flatMap(({ flags }) => flags.split(/[ ,]+/));
      for (const word of words.filter((each) => each.startsWith("--"))) {
        expect(flags, command).toContain(word);
      }
    }
  });

  it("move a plain program over in steps that print the same", async () => {
    const [, chapter = ""] = (await guide("tuning")).split("## From a plain program\n");
    const programs = blocks(chapter, "ts");
    await mkdir(join(ROOT, "tmp"), { recursive: true });
    const folder = await mkdtemp(join(ROOT, "tmp", "tuning-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "flashcards.db");
    const index = "CREATE INDEX by_difficulty ON flashcards (difficulty, created_at);";
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/009_performance_indexes.sql"), index);
    const before = new DatabaseSync(path);
    before.exec(`CREATE TABLE flashcards (word TEXT, difficulty INTEGER, created_at INTEGER);
      INSERT INTO flashcards VALUES ('물', 1, 1), ('불', 2, 2), ('말', 2, 3);`);
    before.close();

    const printed: string[] = [];
    for (const [at, program] of programs.entries()) {
      await writeFile(join(folder, `step-${at}.ts`), program);
      const flags = ["--conditions=springhouse-source", `step-${at}.ts`];
      const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
      printed.push(stdout);
    }

    const card = '{"word":"물","difficulty":1,"created_at":1}\n';
    expect(printed).toEqual(["2\n", "2\n", card, card, "2\n", "2\n"]);
    const after = new DatabaseSync(path);
    const names = after.prepare("SELECT name FROM sqlite_schema WHERE type = 'index'").all();
    after.close();
    expect(names).toContainEqual({ name: "by_difficulty" });
  });
});
