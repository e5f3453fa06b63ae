/**
 * What a program pays before its first row: whole processes of the built package, timed from
 * outside (`version_ms`, `bare_node_ms`) and from inside (`import_ms`, `open_first_get_ms`, which
 * includes the import and everything that is loaded on first use).
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { buildOnce, median } from "./support.ts";

const root = join(import.meta.dirname, "..");

const SCHEMA = `
const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text({ maxLength: 100 }) });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id").index(),
  score: t.int().default(0),
  createdAt: t.timestamp().defaultNow(),
});
const options = { url: "sqlite:startup.db", entities: [Week, Task] };
`;

const PREPARE = `
import { entity, open, t } from "springhouse";
${SCHEMA}
const db = await open(options);
const week = await db.repository(Week).create({ label: "2025-W12" });
await db.repository(Task).create({ weekId: week.id });
await db.close();
`;

const MEASURE = `
const startMs = performance.now();
const { entity, open, t } = await import("springhouse");
const importedMs = performance.now();
${SCHEMA}
const db = await open(options);
const task = await db.repository(Task).get(1);
const gotMs = performance.now();
if (task?.weekId !== 1) throw new Error("the first get gave the wrong row");
await db.close();
console.log(JSON.stringify({ import: importedMs - startMs, get: gotMs - startMs }));
`;

/** Runs the bench on `dist`, which is built when it is missing or old. */
export async function run(options: BenchOptions): Promise<BenchResult> {
  buildOnce();
  const rounds = options.quick ? 7 : 21;
  // Inside the package, so that "springhouse" resolves to it.
  mkdirSync(join(root, "tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, "tmp", "startup-"));
  try {
    writeFileSync(join(folder, "prepare.mjs"), PREPARE);
    writeFileSync(join(folder, "measure.mjs"), MEASURE);
    node(folder, "prepare.mjs");
    const samples: Record<"bare" | "version" | "import" | "get", number[]> = {
      bare: [],
      version: [],
      import: [],
      get: [],
    };
    for (let round = 0; round < rounds; round++) {
      samples.bare.push(timed(() => node(folder, "--eval", "0")));
      samples.version.push(timed(() => node(folder, join(root, "dist/cli/main.js"), "--version")));
      const inside = JSON.parse(node(folder, "measure.mjs")) as { import: number; get: number };
      samples.import.push(inside.import);
      samples.get.push(inside.get);
    }
    return {
      bench: "startup",
      figures: {
        bare_node_ms: median(samples.bare),
        version_ms: median(samples.version),
        import_ms: median(samples.import),
        open_first_get_ms: median(samples.get),
      },
      targets: { version_ms: { atMost: 60 }, open_first_get_ms: { atMost: 40 } },
      notes: [`medians of ${rounds} processes each`],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function node(folder: string, ...parameters: string[]): string {
  return execFileSync(process.execPath, parameters, { cwd: folder, encoding: "utf8" });
}

function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
