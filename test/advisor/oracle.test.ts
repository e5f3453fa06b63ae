/**
 * Advice on random schemas and workloads, judged by counting: a function that SQLite calls for each
 * row that it looks at tells how much a statement does with and without what was advised.
 */

import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { advise } from "../../src/advisor/advise.ts";
import { makeDatabase, rowsOf } from "./support.ts";

const COLUMNS = ["a", "b", "c", "d", "e"];
const TABLES = ["one", "two"];
const ROWS = 6_000;

/** Numbers from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Scene {
  readonly path: string;
  readonly workload: readonly string[];
  readonly planted: readonly string[];
}

function makeScene(random: () => number): Scene {
  const below = (count: number): number => Math.floor(random() * count);
  const pick = (): string => COLUMNS[below(COLUMNS.length)] ?? "a";
  const statements: string[] = [];
  const planted: string[] = [];
  const workload: string[] = [];
  for (const table of TABLES) {
    statements.push(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, ${COLUMNS.join(", ")})`);
    // From a few values to nearly as many as rows, spread without an order.
    const values = COLUMNS.map(() => {
      const distinct = 3 ** (1 + below(8));
      return `(i * ${7_919 + 2 * below(500)}) % ${distinct + below(50)}`;
    });
    statements.push(rowsOf(table, ROWS, "i", ...values));
    const first = pick();
    statements.push(`CREATE INDEX ${table}_kept ON ${table} (${first}, id)`);
    statements.push(`CREATE INDEX ${table}_planted ON ${table} (${first}, id)`);
    planted.push(table);
    for (let index = 0; index < 4; index++) {
      const x = pick();
      const others = COLUMNS.filter((column) => column !== x);
      const [y, z] = [others[below(others.length)], pick()];
      const wheres = [
        `${x} = ?`,
        `${x} = ? AND ${y} = ?`,
        `${x} = ? AND ${y} > ?`,
        `${x} IN (?, ?)`,
      ];
      const order = random() < 0.5 ? ` ORDER BY ${z} LIMIT 10` : "";
      workload.push(`SELECT * FROM ${table} WHERE ${wheres[below(wheres.length)]}${order}`);
    }
  }
  return { path: makeDatabase(...statements), workload, planted };
}

/** Rows that SQLite looks at, for values of some rows; and the indexes that it uses. */
function look(database: DatabaseSync, sql: string): { visits: number; plan: string } {
  let visits = 0;
  database.function("visit", { varargs: true }, () => {
    visits++;
    return 1;
  });
  const statement = database.prepare(sql.replace("WHERE ", "WHERE visit(id) AND "));
  const table = /FROM (\w+)/.exec(sql)?.[1];
  const columns = [...sql.matchAll(/(\w+) (?:=|>) \?|(\w+) IN \(\?, \?\)/g)].flatMap(
    ([, one, list]) => (one === undefined ? [list, list] : [one]),
  );
  for (const id of [1_000, 3_000, 5_000]) {
    const row = database.prepare(`SELECT * FROM ${table} WHERE id = ?`).get(id) ?? {};
    statement.all(...columns.map((column) => row[column ?? ""] ?? null));
  }
  const lines = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
  return { visits, plan: lines.map(({ detail }) => detail).join("; ") };
}

it.each([1, 2, 13])(
  "is used, lessens the work, and leaves nothing to say: seed %i",
  async (seed) => {
    const { path, workload, planted } = makeScene(randomFrom(seed));
    const options = {
      path,
      workload: {
        statements: workload.map((sql) => ({ sql, count: 1, totalMs: 0, rows: 0 })),
        recordedMs: 0,
      },
      savedMin: 0,
      droppedBytesMin: 0,
      measureOn: "copy",
    } as const;

    const { advice, rejected } = await advise(options);

    using database = new DatabaseSync(path);
    const created = advice.filter(({ action }) => action === "create");
    const concerned = new Set(created.flatMap(({ proofs }) => proofs.map(({ sql }) => sql)));
    const before = new Map([...concerned].map((sql) => [sql, look(database, sql)]));
    for (const { up } of advice) database.exec(up);
    for (const { index, proofs } of created) {
      for (const { sql } of proofs) {
        const [was, is] = [before.get(sql), look(database, sql)];
        expect(is.plan, sql).toContain(index);
        expect(is.visits, `${sql}: ${was?.plan} → ${is.plan}`).toBeLessThan(was?.visits ?? 0);
      }
    }
    const dropped = advice.filter(({ reason }) => reason === "duplicate").map(({ table }) => table);
    expect(dropped).toEqual(planted);
    expect(created.length).toBeGreaterThan(0);
    // What was too close to call once may be called the other way.
    const again = await advise(options);
    const more = again.advice.filter(({ up }) => !rejected.some(({ what }) => what === up));
    expect(more.filter(({ action }) => action === "create")).toEqual([]);
  },
);
