/**
 * One process of the comparison of memory: `memory.ts all|cached FILE`. It shows every week, its
 * figures and its newest tasks, several times over, and prints its resident memory.
 *
 * "all" is the program that the auditor's plan begins with: it loads the tasks of all weeks and
 * computes from them, by plain `node:sqlite`. "cached" asks the cached reads.
 */

import { DatabaseSync } from "node:sqlite";

const ROUNDS = 5;
const PAGE_ROWS = 20;

interface LoadedTask {
  readonly id: number;
  readonly week_id: number;
  readonly project_name: string;
  readonly duration_seconds: number;
  readonly time_limit_seconds: number;
  readonly score: number;
  readonly created_at: number;
}

const [, , mode, path = ""] = process.argv;
const shown = mode === "all" ? showLoaded() : await showCached();
process.stdout.write(JSON.stringify({ bytes: process.memoryUsage().rss, shown }));

function showLoaded(): number {
  const database = new DatabaseSync(path);
  const ids = database.prepare("SELECT id FROM weeks").all();
  const tasks = database.prepare("SELECT * FROM tasks").all() as unknown as LoadedTask[];
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { id } of ids) {
      const week = tasks.filter((task) => task.week_id === id);
      total += figuresOf(week).tasks + newest(week).length;
    }
  }
  // What is loaded is what the program has, until it ends.
  return tasks.length > 0 ? total : 0;
}

function newest(week: LoadedTask[]): LoadedTask[] {
  return week.sort((a, b) => b.created_at - a.created_at || a.id - b.id).slice(0, PAGE_ROWS);
}

interface Figures {
  readonly tasks: number;
  readonly seconds: number;
  readonly avgScore: number;
  readonly projects: number;
  readonly productivityScore: number;
}

function figuresOf(week: readonly LoadedTask[]): Figures {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const projects = Object.groupBy(week, (task) => task.project_name);
  const limited = week.filter((task) => task.time_limit_seconds > 0);
  const punctual = limited.filter((task) => task.duration_seconds <= task.time_limit_seconds);
  return {
    tasks: week.length,
    seconds: sum(week.map((task) => task.duration_seconds)),
    avgScore: sum(week.map((task) => task.score)) / week.length,
    projects: Object.keys(projects).length,
    productivityScore: (100 * punctual.length) / limited.length,
  };
}

async function showCached(): Promise<number> {
  const { openAuditor } = await import("../../examples/auditor/database.ts");
  const { WeekReads } = await import("../../examples/auditor/week-reads.ts");
  const db = await openAuditor(path);
  const reads = new WeekReads(db);
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { id } of await reads.weekList()) {
      total += (await reads.getWeekAnalytics(id)).totalTasks;
      total += (await reads.getWeekTasks(id, PAGE_ROWS)).length;
    }
  }
  setImmediate(() => db.close());
  return total;
}
