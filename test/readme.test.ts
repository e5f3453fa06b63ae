/** The README's examples are run as printed, and print what the README says they print. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "..");

it("the example of the README runs as printed", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, program = ""] = /```ts\n(import .*?)```/s.exec(readme) ?? [];
  const [, output = ""] = /```ts\nimport .*?```.*?```text\n(.*?)```/s.exec(readme) ?? [];

  const printed = await run(program);

  expect(program.trim().split("\n").length).toBeGreaterThan(15);
  expect(printed).toBe(output);
});

it("the example for applications with Kysely runs in one", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, chapter = ""] = readme.split("## Already using Kysely\n");
  const [, program = ""] = /```ts\n(import .*?)```/s.exec(chapter) ?? [];
  const before = `
    import { DatabaseSync } from "node:sqlite";
    new DatabaseSync("app.db").exec("CREATE TABLE tasks (week INTEGER, done INTEGER)");`;
  const after = `
    const first = await tasksOf(7);
    await db.insertInto("tasks").values({ week: 8, done: 0 }).execute();
    console.log((await tasksOf(7)) === first);
    await db.insertInto("tasks").values({ week: 7, done: 0 }).execute();
    for await (const rows of springhouse.live(tasksOf, 7)) {
      console.log(JSON.stringify(rows));
      break;
    }
    await db.destroy();`;

  const printed = await run(before + program + after);

  expect(printed).toBe('true\n[{"week":7,"done":0}]\n');
});

/** What a program prints that stands inside of the package, so that "springhouse" resolves to it. */
async function run(program: string): Promise<string> {
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "readme-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "example.ts"), program);
  const flags = ["--conditions=springhouse-source", "example.ts"];
  return (await promisify(execFile)(process.execPath, flags, { cwd: folder })).stdout;
}
