/**
 * Which indexes SQLite itself would take: every column that a statement searches by and every pair
 * of them stand as hypothetical indexes beside each other, and the planner chooses. What wins is
 * extended by further columns as long as that lessens the work, cut where a shorter one does the
 * same, and merged with what other statements want, so that few indexes serve many statements.
 */

import type { EmptyCopy, Estimate } from "./empty-copy.ts";
import { type Candidate, type DatabaseFacts, tableNamed } from "./facts.ts";
import { indexesOf } from "./plan.ts";
import type { StatementColumns } from "./statement-columns.ts";

/** A statement that somebody has looked at. */
export interface Searching {
  readonly sql: string;
  /** How often it ran. */
  readonly count: number;
  readonly columns: StatementColumns;
  readonly now: Estimate;
}

/** An index that the planner would take, and the statements for which it would. */
export interface Proposal extends Candidate {
  readonly statements: readonly number[];
}

/** More columns of one table in one statement are those of a report, not of a search. */
const COLUMNS_MAX = 8;
/** A wider index costs every write more and hardly ever leads to fewer rows. */
const WIDTH_MAX = 3;
/** Work that is not less by a tenth is the same: the figures are estimates. */
const SAME_WORK = 0.9;

/**
 * The indexes worth a proof.
 *
 * @param smallRows tables with fewer rows need none, and statements that look at fewer are quick.
 */
export function proposalsFor(
  copy: EmptyCopy,
  facts: DatabaseFacts,
  statements: readonly Searching[],
  smallRows: number,
): readonly Proposal[] {
  const wanted: Candidate[][] = statements.map((statement) =>
    statement.now.work < smallRows ? [] : winnersFor(copy, facts, statement, smallRows),
  );
  const merged = merge(copy, statements, wanted);
  const taken = statements.map(({ sql }, index) =>
    wanted[index]?.length === 0 ? [] : vote(copy, sql, merged).taken,
  );
  const proposals = merged.map((candidate) => ({
    ...candidate,
    statements: taken.flatMap((each, index) => (each.includes(candidate) ? [index] : [])),
  }));
  return proposals.filter((proposal) => proposal.statements.length > 0);
}

/** What the planner takes for one statement; empty when nothing gets better by it. */
function winnersFor(
  copy: EmptyCopy,
  facts: DatabaseFacts,
  { sql, columns, now }: Searching,
  smallRows: number,
): Candidate[] {
  const searched = [...columns.searched].flatMap(([name, all]) => {
    const table = tableNamed(facts, name);
    if (table === undefined || table.rows < smallRows) return [];
    const own = all.filter((column) => table.columns.includes(column)).slice(0, COLUMNS_MAX);
    return [{ table: table.name, columns: own }];
  });
  const pairs = searched.flatMap(({ table, columns: own }) => [
    ...own.map((first) => ({ table, columns: [first] })),
    ...own.flatMap((first) =>
      own
        .filter((second) => second !== first)
        .map((second) => ({ table, columns: [first, second] })),
    ),
  ]);
  let best = vote(copy, sql, pairs);
  if (best.taken.length === 0 || best.work > now.work * SAME_WORK) return [];
  for (let width = 2; width < WIDTH_MAX; width++) {
    const wider = best.taken.flatMap((candidate) => widened(candidate, searched));
    const next = vote(copy, sql, [...best.taken, ...wider]);
    if (next.work > best.work * SAME_WORK) break;
    best = next;
  }
  return cut(copy, sql, best.taken, best.work);
}

function widened(
  { table, columns }: Candidate,
  searched: readonly Candidate[],
): readonly Candidate[] {
  const all = searched.find((candidate) => candidate.table === table)?.columns ?? [];
  return all
    .filter((column) => !columns.includes(column))
    .map((column) => ({ table, columns: [...columns, column] }));
}

interface Vote {
  readonly taken: Candidate[];
  readonly work: number;
}

/** Lets the planner choose among the candidates and the indexes that stand. */
function vote(copy: EmptyCopy, sql: string, candidates: readonly Candidate[]): Vote {
  return copy.withCandidates(candidates, (names) => {
    const { plan, work } = copy.explain(sql);
    const taken = indexesOf(plan).flatMap((name) => names.get(name) ?? []);
    return { taken: [...new Set(taken)], work };
  });
}

/** Takes columns off the end as long as the work stays the same. */
function cut(copy: EmptyCopy, sql: string, taken: readonly Candidate[], work: number): Candidate[] {
  const kept = [...taken];
  for (const [index, candidate] of taken.entries()) {
    for (let width = candidate.columns.length - 1; width > 0; width--) {
      const shorter = { table: candidate.table, columns: candidate.columns.slice(0, width) };
      const tried = kept.with(index, shorter);
      if (vote(copy, sql, tried).work * SAME_WORK > work) break;
      kept[index] = shorter;
    }
  }
  return kept;
}

/** Fewer and shorter indexes for all statements together, none of which may get worse by that. */
function merge(
  copy: EmptyCopy,
  statements: readonly Searching[],
  wanted: readonly (readonly Candidate[])[],
): readonly Candidate[] {
  const concerned = statements.filter((_, index) => (wanted[index]?.length ?? 0) > 0);
  const set = new IndexSet(copy, concerned, distinct(wanted.flat()));
  // Another order of the columns may serve what a shorter index was wanted for.
  for (const short of set.kept) {
    for (const long of set.kept.filter((other) => contains(other, short))) {
      if (set.replace([short, long], [startingWith(short, long)])) break;
    }
  }
  const shortestFirst = set.kept.toSorted((a, b) => a.columns.length - b.columns.length);
  for (const candidate of shortestFirst) set.replace([candidate], []);
  // What was widened for a statement that another index serves by now is cut again.
  for (let candidate of set.kept) {
    while (candidate.columns.length > 1) {
      const shorter = { table: candidate.table, columns: candidate.columns.slice(0, -1) };
      if (!set.replace([candidate], [shorter])) break;
      candidate = shorter;
    }
  }
  return set.kept;
}

/** Indexes for several statements, which change only when no statement gets worse. */
class IndexSet {
  readonly #copy: EmptyCopy;
  readonly #statements: readonly Searching[];
  #kept: readonly Candidate[];
  #works: readonly number[];

  constructor(copy: EmptyCopy, statements: readonly Searching[], candidates: readonly Candidate[]) {
    this.#copy = copy;
    this.#statements = statements;
    this.#kept = candidates;
    this.#works = this.#worksWith(candidates);
  }

  get kept(): readonly Candidate[] {
    return this.#kept;
  }

  /** Takes `some` out and `others` in, when all of them are there and nothing gets worse. */
  replace(some: readonly Candidate[], others: readonly Candidate[]): boolean {
    if (!some.every((candidate) => this.#kept.includes(candidate))) return false;
    const rest = this.#kept.filter((candidate) => !some.includes(candidate));
    const tried = distinct([...rest, ...others]);
    const works = this.#worksWith(tried);
    if (works.some((work, index) => work * SAME_WORK > (this.#works[index] ?? 0))) return false;
    this.#kept = tried;
    this.#works = works;
    return true;
  }

  #worksWith(candidates: readonly Candidate[]): readonly number[] {
    const statements = this.#statements;
    return this.#copy.withCandidates(candidates, () =>
      statements.map(({ sql }) => this.#copy.explain(sql).work),
    );
  }
}

/** All columns of both, those of the shorter one in front. */
function startingWith(short: Candidate, long: Candidate): Candidate {
  const rest = long.columns.filter((column) => !short.columns.includes(column));
  return { table: short.table, columns: [...short.columns, ...rest] };
}

function contains(long: Candidate, short: Candidate): boolean {
  return (
    long.table === short.table &&
    long.columns.length > short.columns.length &&
    short.columns.every((column) => long.columns.includes(column))
  );
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  const byKey = candidates.map((each) => [[each.table, ...each.columns].join("\0"), each] as const);
  return [...new Map(byKey).values()];
}
