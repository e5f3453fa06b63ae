/**
 * Random writes, by us and by others, closing and opening again, restored copies and a trimmed log:
 * whatever a function gives, wherever it comes from, is what SQLite gives when it is asked anew.
 * Every hit is checked by a shadow run besides.
 */

import { copyFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sqliteTier } from "../../src/cache/index.ts";
import { open } from "../../src/index.ts";
import { warningsOf } from "../support/warnings.ts";
import { patientClock, weeksFile } from "./persistence-support.ts";
import { nextTurn, Task, Week } from "./support.ts";

const WRITES = [
  "UPDATE tasks SET seconds = seconds + 1 WHERE id = ?",
  "UPDATE tasks SET project = project || 'x' WHERE id = ?",
  "UPDATE tasks SET week_id = 3 - week_id WHERE id = ?",
  "DELETE FROM tasks WHERE id = ?",
  "REPLACE INTO tasks VALUES (?, 1, 'Draco', 5)",
  "REPLACE INTO weeks VALUES (1 + ? % 2, 'w')",
] as const;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("own" as const, "foreign" as const),
      write: fc.nat(WRITES.length - 1),
      id: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "reopen" as const,
        "reopen" as const,
        "copy" as const,
        "restore" as const,
        "trim" as const,
        "schema" as const,
      ),
    }),
  },
);

/** The queries, as SQL and by the builder. */
const SQL = {
  sum: "SELECT sum(seconds) AS a FROM tasks WHERE week_id = ?",
  join: `SELECT w.id AS a, count(t.id) AS b FROM weeks w LEFT JOIN tasks t ON t.week_id = w.id
    WHERE w.id >= ? GROUP BY w.id ORDER BY w.id`,
  top: "SELECT id AS a, project AS b FROM tasks WHERE seconds > ? ORDER BY seconds, id LIMIT 2",
} as const;
const NAMES = Object.keys(SQL) as (keyof typeof SQL)[];

async function openFunctions(path: string, tierPath: string) {
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Week, Task],
    profile: "fast",
    clock: patientClock,
    cache: { freshness: "strict", tiers: [sqliteTier({ path: tierPath })], shadow: 1 },
  });
  const version = { version: 1 };
  const sum = db.cached(
    "sum",
    (q, week: number) =>
      q
        .selectFrom("tasks")
        .select((e) => e.fn.sum("seconds").as("a"))
        .where("week_id", "=", week)
        .execute(),
    version,
  );
  const join = db.cached(
    "join",
    (q, week: number) =>
      q
        .selectFrom("weeks as w")
        .leftJoin("tasks as t", "t.week_id", "w.id")
        .select((e) => ["w.id as a", e.fn.count("t.id").as("b")])
        .where("w.id", ">=", week)
        .groupBy("w.id")
        .orderBy("w.id")
        .execute(),
    version,
  );
  const top = db.cached(
    "top",
    async (_, seconds: number) => (await db.execute(SQL.top, [seconds])).rows,
    version,
  );
  return { db, functions: { sum, join, top } };
}

const served = { memory: 0, sqlite: 0, computed: 0 };

/** Every function with every argument, compared with what a plain connection gives. */
async function check(
  { functions }: Awaited<ReturnType<typeof openFunctions>>,
  plain: DatabaseSync,
): Promise<void> {
  for (const name of NAMES) {
    for (const argument of [1, 2]) {
      const isHit = functions[name].peek(argument) !== undefined;
      const given = await functions[name](argument);
      const { tier } = functions[name].explain(argument);
      served[isHit ? "memory" : tier === "sqlite" ? "sqlite" : "computed"]++;
      const wanted = plain.prepare(SQL[name]).all(argument);
      expect(given, `${name}(${argument})`).toEqual(wanted.map((row) => ({ ...row })));
    }
  }
}

/** Moves everything into the file; a shadow run may read from the log at the moment. */
async function checkpoint(plain: DatabaseSync): Promise<void> {
  for (;;) {
    try {
      if (plain.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0) return;
    } catch {}
    await nextTurn();
  }
}

it("whatever is served equals a fresh recompute", { timeout: 120_000 }, async () => {
  const warnings = warningsOf();
  const run = fc.asyncProperty(
    fc.array(step, { minLength: 20, maxLength: 30, size: "max" }),
    async (steps) => {
      const { path, tierPath } = await weeksFile();
      copyFileSync(path, `${path}.copy`);
      let opened = await openFunctions(path, tierPath);
      let plain = new DatabaseSync(path, { timeout: 10_000 });
      let tables = 0;
      const reopen = async (between: () => void): Promise<void> => {
        plain.close();
        await opened.db.close();
        between();
        plain = new DatabaseSync(path, { timeout: 10_000 });
        opened = await openFunctions(path, tierPath);
      };
      try {
        for (const next of steps) {
          if (next.kind === "own") await opened.db.execute(WRITES[next.write] ?? "", [next.id]);
          if (next.kind === "foreign") plain.prepare(WRITES[next.write] ?? "").run(next.id);
          if (next.kind === "reopen") await reopen(() => undefined);
          if (next.kind === "copy") {
            await checkpoint(plain);
            copyFileSync(path, `${path}.copy`);
          }
          if (next.kind === "restore") {
            await reopen(() => {
              for (const end of ["-wal", "-shm"]) rmSync(path + end, { force: true });
              copyFileSync(`${path}.copy`, path);
            });
          }
          if (next.kind === "trim") {
            plain.exec(
              "DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)",
            );
          }
          if (next.kind === "schema")
            plain.exec(`CREATE VIEW v${++tables}_${Date.now()} AS SELECT 1`);
          if (next.kind === "read") await check(opened, plain);
        }
        await reopen(() => undefined);
        await check(opened, plain);
      } finally {
        plain.close();
        await opened.db.close();
      }
    },
  );

  await fc.assert(run, { numRuns: 4, seed: 20_261_126, endOnFailure: true });

  expect(warnings.filter(({ code }) => code === "CACHE_WRONG")).toEqual([]);
  for (const count of Object.values(served)) expect(count).toBeGreaterThan(20);
});
