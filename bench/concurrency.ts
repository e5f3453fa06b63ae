/**
 * Fifty callers at once on a large file: reads by key, lists by an index, sums and durable writes,
 * each caller one after the other, as requests of a service are.
 *
 * Nothing is cached, so that every operation is one of the database.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { open } from "../src/open.ts";
import { t } from "../src/schema/column.ts";
import { entity } from "../src/schema/entity.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { fill, GROUP_ROWS, removedAtTheEnd, sizeFor } from "./concurrency/large-file.ts";
import { percentile, withFolder } from "./support.ts";

const CALLERS = 50;
/** Until threads are started and pages are where they will be. */
const WARM_UP_MS = 1_000;
const LIST_ROWS = 20;
const SUM_ROWS = 100;
/** Of 100 operations: reads by key, then lists, then sums; the rest are writes. */
const SHARES = { get: 50, list: 20, sum: 10 } as const;

const Note = entity(
  "notes",
  {
    id: t.int().primaryKey(),
    groupId: t.int(),
    title: t.text(),
    revision: t.int(),
    body: t.blob(),
  },
  { indexes: [{ on: ["groupId", "id"] }] },
);

type Kind = keyof typeof SHARES | "write";

/** Runs the bench. */
export function run({ quick }: BenchOptions): Promise<BenchResult> {
  return withFolder(async (folder) => {
    using _ = removedAtTheEnd(folder);
    const bytes = sizeFor(folder, quick);
    const path = join(folder, "notes.db");
    await openNotes(path, async () => undefined);
    const rows = fill(path, bytes);
    const measureMs = quick ? 2_000 : 15_000;
    const { times, seconds, waitMs } = await openNotes(path, (db) => measure(db, rows, measureMs));
    const all = Object.values(times).flat();
    const p95 = (kind: Kind): number => percentile(times[kind], 95);
    const sizeGb = statSync(path).size / 1_024 ** 3;
    return {
      bench: "concurrency",
      figures: {
        p95_ms: percentile(all, 95),
        operations_per_s: all.length / seconds,
        get_p95_ms: p95("get"),
        list_p95_ms: p95("list"),
        sum_p95_ms: p95("sum"),
        write_p95_ms: p95("write"),
        writes_per_s: times.write.length / seconds,
        mean_acquisition_ms: waitMs,
        file_gb: sizeGb,
      },
      targets: { p95_ms: { atMost: 100 }, operations_per_s: { atLeast: 1_000 } },
      notes: [
        `${CALLERS} callers, ${rows.toLocaleString("en-US")} rows in ${sizeGb.toFixed(1)} GB`,
        `of 100: ${SHARES.get} rows by key, ${SHARES.list} lists of ${LIST_ROWS} by index,`,
        `${SHARES.sum} sums of ${SUM_ROWS} rows, the rest durable writes of a row; no cache`,
        ...(quick ? ["--quick: a file this small proves nothing about a large one"] : []),
      ],
    };
  });
}

type Notes = Awaited<ReturnType<typeof openFile>>;

function openFile(path: string) {
  return open({ url: `sqlite:${path}`, entities: [Note], cache: false });
}

async function openNotes<T>(path: string, work: (db: Notes) => Promise<T>): Promise<T> {
  await using db = await openFile(path);
  return await work(db);
}

interface Measured {
  readonly times: Readonly<Record<Kind, number[]>>;
  readonly seconds: number;
  /** Mean time that a caller waited for a reader thread. */
  readonly waitMs: number;
}

async function measure(db: Notes, rows: number, durationMs: number): Promise<Measured> {
  const operations = operationsOn(db, rows);
  let times: Record<Kind, number[]> = { get: [], list: [], sum: [], write: [] };
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const kind = draw();
      const startMs = performance.now();
      await operations[kind]();
      times[kind].push(performance.now() - startMs);
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  // A failed operation ends the bench at once.
  await Promise.race([setTimeout(WARM_UP_MS), callers]);
  times = { get: [], list: [], sum: [], write: [] };
  const startMs = performance.now();
  await Promise.race([setTimeout(durationMs), callers]);
  const seconds = (performance.now() - startMs) / 1_000;
  const measured = { ...times };
  times = { get: [], list: [], sum: [], write: [] };
  isOver = true;
  await callers;
  return { times: measured, seconds, waitMs: db.statistics().meanAcquisitionMs };
}

function draw(): Kind {
  const at = Math.random() * 100;
  if (at < SHARES.get) return "get";
  if (at < SHARES.get + SHARES.list) return "list";
  return at < SHARES.get + SHARES.list + SHARES.sum ? "sum" : "write";
}

/** One operation of each kind, each time on another part of the file. */
function operationsOn(db: Notes, rows: number): Readonly<Record<Kind, () => Promise<unknown>>> {
  const notes = db.repository(Note);
  const anyRow = (): number => 1 + Math.floor(Math.random() * rows);
  const anyGroup = (): number => Math.floor(anyRow() / GROUP_ROWS);
  return {
    get: () => notes.get(anyRow()),
    list: () =>
      db.execute(
        `SELECT id, title, revision FROM notes WHERE group_id = ? ORDER BY id DESC
         LIMIT ${LIST_ROWS}`,
        [anyGroup()],
      ),
    sum: () => {
      const first = anyRow();
      return db.execute(
        "SELECT count(*) AS notes, sum(revision) AS revisions FROM notes WHERE id BETWEEN ? AND ?",
        [first, first + SUM_ROWS - 1],
      );
    },
    write: () => db.execute("UPDATE notes SET revision = revision + 1 WHERE id = ?", [anyRow()]),
  };
}
