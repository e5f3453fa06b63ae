/**
 * The proof: indexes are made and dropped on a copy, and the statements that they are for run
 * before and after. What does not pay is put back and named with the reason.
 */

import { formatDuration } from "../core/duration.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { derivedName } from "../schema/names.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Advice, Proof } from "./advice.ts";
import { type DatabaseFacts, type TableFacts, tableNamed } from "./facts.ts";
import { type Known, reasonAgainst, reasonToKeep, speedupOf, taxOf } from "./judge.ts";
import type { Changed } from "./measure.ts";
import type { ResolvedAdviseOptions } from "./options.ts";
import type { Proposal } from "./proposals.ts";
import type { Timing, Trial } from "./trial.ts";

/** What came of the trial. */
export interface Verdict {
  readonly advice: readonly Advice[];
  readonly rejected: readonly { readonly what: string; readonly reason: string }[];
}

/** What a trial is about. */
export interface TrialContext {
  readonly trial: Trial;
  readonly facts: DatabaseFacts;
  readonly statements: readonly Known[];
  readonly options: ResolvedAdviseOptions;
}

/** An index that could go, and why. */
export interface Droppable {
  readonly index: string;
  readonly table: string;
  readonly reason: "duplicate" | "prefix" | "unused";
  readonly keptBy: string | undefined;
}

const STOPPED = "it was stopped before and after, as it takes longer than the limit";

interface Made {
  readonly proposal: Proposal;
  readonly name: string;
  readonly table: TableFacts;
  readonly changed: Changed;
}

/** Makes each proposed index and measures what it is for. */
export async function tryNew(
  context: TrialContext,
  proposals: readonly Proposal[],
): Promise<Verdict> {
  const { trial, facts, statements, options } = context;
  const concerned = statements.filter(({ studied }, index) => {
    const isFor = proposals.some((proposal) => proposal.statements.includes(index));
    return isFor && studied.parameters !== undefined && studied.written.size === 0;
  });
  const before = await measureAll(context, concerned);
  const made: Made[] = [];
  for (const proposal of concerned.length === 0 ? [] : proposals) {
    const table = tableNamed(facts, proposal.table);
    if (table === undefined) continue;
    const name = freeName(proposal, facts);
    const changed = await trial.change(createSql(name, proposal), name, table);
    made.push({ proposal, name, table, changed });
  }
  const kept = new Set(made);
  const rejected: { what: string; reason: string }[] = [];
  let after = await measureAll(context, concerned);
  for (const each of made) {
    const { proposal, name, table, changed } = each;
    const proofs = proofsOf(name, concerned, before, after);
    const tax = taxOf(statements, proposal, changed.usPerRowAfter - changed.usPerRowBefore);
    const reason = reasonAgainst(proofs, tax, scaleOf(table, options), options);
    if (reason === undefined) continue;
    kept.delete(each);
    rejected.push({ what: createSql(name, proposal), reason });
    await trial.change(dropSql(name), name, table);
  }
  // What remains must do without what was dropped.
  if (kept.size < made.length && kept.size > 0) after = await measureAll(context, concerned);
  const advice = [...kept].map((each) =>
    adviceToCreate(each, proofsOf(each.name, concerned, before, after), options),
  );
  const stopped = concerned.filter(
    (known) => before.get(known)?.isAtLeast === true && after.get(known)?.isAtLeast === true,
  );
  return {
    advice: advice.filter(({ proofs }) => proofs.length > 0),
    rejected: [...rejected, ...stopped.map(({ sql }) => ({ what: sql, reason: STOPPED }))],
  };
}

/** Drops each index and measures the statements that have used it. */
export async function tryDropped(
  context: TrialContext,
  droppable: readonly Droppable[],
): Promise<Verdict> {
  const { trial, facts, statements, options } = context;
  const advice: Advice[] = [];
  const rejected: { what: string; reason: string }[] = [];
  for (const each of droppable) {
    const table = tableNamed(facts, each.table);
    const index = facts.indexes.find(({ name }) => name === each.index);
    if (table === undefined || index?.sql === undefined) continue;
    const users = statements.filter(
      ({ studied }) =>
        studied.indexes.includes(each.index) &&
        studied.parameters !== undefined &&
        studied.written.size === 0,
    );
    const before = await measureAll(context, users);
    const changed = await trial.change(dropSql(each.index), each.index, table);
    const after = await measureAll(context, users);
    const proofs = users.flatMap((known) => proofOf(known, before, after));
    const bytes = changed.bytes * scaleOf(table, options);
    const reason = reasonToKeep(proofs, bytes, each.reason === "duplicate", options);
    if (reason === undefined) {
      const columns = index.parts.map(({ name }) => name ?? "an expression");
      advice.push(adviceToDrop(each, columns, index.sql, { changed, proofs, bytes }));
    } else {
      rejected.push({ what: dropSql(each.index), reason });
      await trial.change(index.sql, each.index, table);
    }
  }
  return { advice, rejected };
}

async function measureAll(
  { trial, options }: TrialContext,
  statements: readonly Known[],
): Promise<ReadonlyMap<Known, Timing>> {
  const timings = new Map<Known, Timing>();
  for (const statement of statements) {
    options.onProgress({ step: "measure", done: timings.size, total: statements.length });
    timings.set(statement, await trial.measure(statement.studied));
  }
  return timings;
}

/** The statements whose plan has the index now. */
function proofsOf(
  index: string,
  statements: readonly Known[],
  before: ReadonlyMap<Known, Timing>,
  after: ReadonlyMap<Known, Timing>,
): readonly Proof[] {
  const users = statements.filter((known) => after.get(known)?.indexes.includes(index));
  return users.flatMap((known) => proofOf(known, before, after));
}

function proofOf(
  known: Known,
  before: ReadonlyMap<Known, Timing>,
  after: ReadonlyMap<Known, Timing>,
): readonly Proof[] {
  const [was, is] = [before.get(known), after.get(known)];
  if (was === undefined || is === undefined) return [];
  // A statement that was stopped both times says nothing.
  if (was.isAtLeast && is.isAtLeast) return [];
  return [
    {
      sql: known.sql,
      count: known.count,
      planBefore: was.plan,
      planAfter: is.plan,
      beforeMs: was.ms,
      beforeIsAtLeast: was.isAtLeast,
      afterMs: is.ms,
    },
  ];
}

function adviceToCreate(
  { proposal, name, table, changed }: Made,
  proofs: readonly Proof[],
  options: ResolvedAdviseOptions,
): Advice {
  const slowest = proofs.toSorted((a, b) => b.beforeMs - a.beforeMs)[0];
  const before = formatDuration(slowest?.beforeMs ?? 0);
  const from = slowest?.beforeIsAtLeast === true ? `more than ${before}` : before;
  const columns = proposal.columns.join(", ");
  const count = proofs.length === 1 ? "a statement" : `${proofs.length} statements`;
  return {
    action: "create",
    reason: "missing",
    index: name,
    table: proposal.table,
    columns: proposal.columns,
    message:
      `${proposal.table} has no index on (${columns}), by which ${count} could find its rows: ` +
      `${from} becomes ${formatDuration(slowest?.afterMs ?? 0)}.`,
    speedup: speedupOf(proofs),
    proofs,
    bytes: changed.bytes * scaleOf(table, options),
    writeUsPerRow: Math.max(0, changed.usPerRowAfter - changed.usPerRowBefore),
    buildMs: changed.ms,
    up: createSql(name, proposal),
    down: dropSql(name),
  };
}

function adviceToDrop(
  { index, table, reason, keptBy }: Droppable,
  columns: readonly string[],
  sql: string,
  { changed, proofs, bytes }: { changed: Changed; proofs: readonly Proof[]; bytes: number },
): Advice {
  const why = {
    duplicate: `has the same columns as ${keptBy}`,
    prefix: `has only the first columns of ${keptBy}, which finds the same rows`,
    unused: "is used by no statement that was recorded",
  };
  return {
    action: "drop",
    reason,
    index,
    table,
    columns,
    message: `${index} on ${table} (${columns.join(", ")}) ${why[reason]}.`,
    speedup: speedupOf(proofs),
    proofs,
    bytes,
    writeUsPerRow: Math.max(0, changed.usPerRowBefore - changed.usPerRowAfter),
    buildMs: changed.ms,
    up: dropSql(index),
    down: sql,
  };
}

/** How much larger the table is than its sample. */
function scaleOf({ rows }: TableFacts, { measureOn, sampleRows }: ResolvedAdviseOptions): number {
  return measureOn === "copy" ? 1 : Math.max(1, rows / sampleRows);
}

function freeName({ table, columns }: Proposal, facts: DatabaseFacts): string {
  const taken = new Set(facts.texts.map(({ name }) => lowerAscii(name)));
  const name = derivedName("idx", table, columns);
  if (!taken.has(lowerAscii(name))) return name;
  for (let number = 2; ; number++) {
    const next = derivedName("idx", table, [...columns, String(number)]);
    if (!taken.has(lowerAscii(next))) return next;
  }
}

function createSql(name: string, { table, columns }: Proposal): string {
  const on = `${quoteIdentifier(table)} (${quoteList(columns)})`;
  return `CREATE INDEX ${quoteIdentifier(name)} ON ${on}`;
}

function dropSql(name: string): string {
  return `DROP INDEX ${quoteIdentifier(name)}`;
}
