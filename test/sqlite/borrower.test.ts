import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
let folder: string;
beforeEach(async () => {
  await mkdir(join(root, "tmp"), { recursive: true });
  // Inside the package, so that "springhouse" resolves to it.
  folder = await mkdtemp(join(root, "tmp", "borrower-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function run(program: string): Promise<string> {
  await writeFile(join(folder, "program.ts"), program);
  const parameters = ["--conditions=springhouse-source", "program.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: folder });
  return stdout;
}

const OPEN = `
import { subscribe } from "node:diagnostics_channel";
import { entity, open, t } from "springhouse";
const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
const pool = { maxSize: 1, connectionTimeout: "1s", leakDetectionThreshold: "50ms" };
const db = await open({ url: "sqlite::memory:", entities: [Week], pool });
await db.repository(Week).createMany(Array.from({ length: 3000 }, () => ({ label: "x" })));
`;

it("a report of a leak begins with the program's own code", async () => {
  const output = await run(`${OPEN}
    const warned = new Promise((resolve) => subscribe("springhouse:warning", resolve));
    const alive = setInterval(() => {}, 1000);
    async function forgetful() {
      for await (const _ of db.repository(Week).stream()) await warned;
    }
    forgetful().catch(() => {});
    console.log((await warned).message);
    clearInterval(alive);
    process.exit();`);

  expect(output).toMatch(/begun here:\n\s+at .*forgetful.*program\.ts/);
});

it("a read that waits for a connection in vain is told so before the process ends", async () => {
  const output = await run(`${OPEN}
    for await (const _ of db.repository(Week).stream()) {
      await db.repository(Week).list().catch((error) => console.log(error.code));
      break;
    }
    await db.close();`);

  expect(output).toBe("POOL_TIMEOUT\n");
});
