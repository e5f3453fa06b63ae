/**
 * Advice on indexes, proved: what a workload lacks, and what stands for nothing.
 *
 * 1. A child process studies the database, read only: on an empty copy with the statistics of a
 *    sample, the planner chooses among hypothetical indexes (`empty-copy.ts`, `proposals.ts`).
 * 2. What it chose is made on a copy, and the statements run there before and after
 *    (`try-indexes.ts`). The same is done for indexes that could go.
 * 3. Only what pays is advised; the rest is named with the reason.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SpringhouseError } from "../core/errors.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { AdviceReport } from "./advice.ts";
import type { Known } from "./judge.ts";
import { type AdviseOptions, type ResolvedAdviseOptions, resolveAdviseOptions } from "./options.ts";
import { ProofProcess } from "./proof-process.ts";
import { isLeftAlone } from "./redundant.ts";
import type { Study } from "./study.ts";
import { Trial } from "./trial.ts";
import { type Droppable, tryDropped, tryNew, type Verdict } from "./try-indexes.ts";

/**
 * Looks at a workload and a database, and says which indexes to make and which to drop.
 *
 * The file is only read; copies are made in the folder for temporary files and removed.
 *
 * @throws `UNOPENABLE` when there is no such file, `TIMEOUT` when a step takes too long, `ABORTED`.
 * @example
 * const workload = await readWorkload("workload.json");
 * const { advice } = await advise({ path: "app.db", workload, measureOn: "copy" });
 * for (const { message, up } of advice) console.log(message, up);
 */
export async function advise(options: AdviseOptions): Promise<AdviceReport> {
  const resolved = resolveAdviseOptions(options);
  const { clock, workload } = resolved;
  const path = resolve(resolved.path);
  if (!existsSync(path)) throw missing(path);
  const startMs = clock.monotonicMs();
  // Held open meanwhile: whoever closes last, reading only, would leave an empty log behind.
  await using _store = await openSqliteStore({ url: { kind: "file", path }, readOnly: true });
  await using process = new ProofProcess(clock);
  const study = await lookAt(process, { ...resolved, path });
  const statements = workload.statements.flatMap((statement, index): Known[] => {
    const studied = study.statements[index];
    return studied === undefined ? [] : [{ ...statement, studied }];
  });
  const droppable = droppableIn(study, resolved);
  const tried = study.proposals.length > 0 || droppable.length > 0;
  const verdict = tried
    ? await prove(process, { ...resolved, path }, study, statements, droppable)
    : { advice: [], rejected: [] };
  const unusable = unusableIn(statements, study);
  return {
    path,
    statements: statements.length,
    unusable,
    advice: verdict.advice,
    slow: slowIn(statements, resolved),
    rejected: [...verdict.rejected, ...unusable],
    measuredOn: tried ? resolved.measureOn : undefined,
    ms: clock.monotonicMs() - startMs,
  };
}

function lookAt(process: ProofProcess, options: ResolvedAdviseOptions): Promise<Study> {
  const { path, workload, smallRows, stepTimeoutMs: timeoutMs, signal } = options;
  options.onProgress({ step: "study", done: 0, total: workload.statements.length });
  const statements = workload.statements.map(({ sql, count }) => ({ sql, count }));
  return process.study({ kind: "study", path, statements, smallRows }, { timeoutMs, signal });
}

async function prove(
  process: ProofProcess,
  options: ResolvedAdviseOptions,
  study: Study,
  statements: readonly Known[],
  droppable: readonly Droppable[],
): Promise<Verdict> {
  const { facts, proposals } = study;
  options.onProgress({ step: "copy", done: 0, total: 1 });
  const tables = facts.tables.map(({ name }) => name);
  await using trial = await Trial.of(process, options, facts, tables);
  const context = { trial, facts, statements, options };
  const created = await tryNew(context, proposals);
  const dropped = await tryDropped(context, droppable);
  return {
    advice: [...created.advice, ...dropped.advice],
    rejected: [...created.rejected, ...dropped.rejected],
  };
}

/** Indexes that repeat others, and those that a long recording does not use. */
function droppableIn(study: Study, options: ResolvedAdviseOptions): readonly Droppable[] {
  const { facts, redundant, statements } = study;
  const { workload, unusedAfterMs, smallRows } = options;
  const isLong = workload.statements.length > 0 && workload.recordedMs >= unusedAfterMs;
  if (!isLong) return redundant;
  const used = new Set(statements.flatMap(({ indexes }) => indexes));
  const unused = facts.indexes.flatMap(({ name, table, parts, unique, isOwn }): Droppable[] => {
    const owner = facts.tables.find((candidate) => candidate.name === table);
    if (!isOwn || unique || used.has(name) || isLeftAlone(facts, table, smallRows)) return [];
    // Foreign keys are looked up by it when a row of the other table goes; no plan shows that.
    const isForKey = owner?.foreignKeys.some((key) => key[0] === parts[0]?.name) ?? false;
    if (isForKey || redundant.some(({ index }) => index === name)) return [];
    return [{ index: name, table, reason: "unused", keptBy: undefined }];
  });
  return [...redundant, ...unused];
}

function slowIn(
  statements: readonly Known[],
  { slowQueryThresholdMs }: ResolvedAdviseOptions,
): AdviceReport["slow"] {
  return statements
    .map(({ sql, count, totalMs, studied }) => ({
      sql,
      count,
      meanMs: count > 0 ? totalMs / count : 0,
      plan: studied.plan,
    }))
    .filter(({ meanMs }) => meanMs >= slowQueryThresholdMs)
    .toSorted((a, b) => b.meanMs * b.count - a.meanMs * a.count);
}

/** Statements that nothing can be said about, and why. */
function unusableIn(statements: readonly Known[], { proposals }: Study): AdviceReport["unusable"] {
  return statements.flatMap(({ sql, studied }, index) => {
    if (studied.problem !== undefined) return [{ what: sql, reason: studied.problem }];
    const isProposed = proposals.some((proposal) => proposal.statements.includes(index));
    // What only writes is not searched by its values.
    const isSearch = isProposed || studied.written.size === 0;
    if (!isSearch || studied.parameters !== undefined) return [];
    const reason = "it cannot be told what its placeholders are compared with: give it with values";
    return [{ what: sql, reason }];
  });
}

function missing(path: string): SpringhouseError {
  const message = `The database file ${path} does not exist.`;
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}
