/**
 * Figures of a project out of its issues: what came in and what was done in each week, what
 * remained, and how long an issue took.
 */

import type { IssueFact, ProjectData, Statistic } from "./model.ts";
import { daysBetween } from "./moments.ts";
import { addWeeks, mondayOf, weekOf } from "./weeks.ts";

/** One week: what came in, what was done, and what remained at its end. */
export interface WeekFlow {
  readonly week: string;
  readonly completedItems: number;
  readonly completedPoints: number;
  readonly createdItems: number;
  readonly createdPoints: number;
  readonly remainingItems: number;
  readonly remainingPoints: number;
}

/** More weeks are no project but a wrong date. */
const WEEKS_MAX = 2_000;

/** The weeks of a project, from its first issue to its last change, without a gap. */
export function weeksOfIssues(issues: readonly IssueFact[]): WeekFlow[] {
  const flows = new Map<string, Mutable<WeekFlow>>();
  const add = (moment: string | null, kind: "created" | "completed", points: number): void => {
    if (moment === null) return;
    const flow = flowOf(flows, weekOf(moment));
    flow[`${kind}Items`]++;
    flow[`${kind}Points`] += points;
  };
  for (const { created, resolved, points } of issues) {
    add(created, "created", points ?? 0);
    add(resolved, "completed", points ?? 0);
  }
  let [items, points] = [0, 0];
  return withoutGaps(flows).map((flow) => {
    items += flow.createdItems - flow.completedItems;
    points += flow.createdPoints - flow.completedPoints;
    return { ...flow, remainingItems: items, remainingPoints: points };
  });
}

/** The weeks that a project wrote down; what remains is known now and counted backwards. */
export function weeksOfProject({ scope, statistics }: ProjectData): WeekFlow[] {
  const flows = new Map<string, Mutable<WeekFlow>>();
  for (const each of statistics) {
    const flow = flowOf(flows, weekOf(each.date));
    flow.completedItems += each.completedItems;
    flow.completedPoints += each.completedPoints;
    flow.createdItems += each.createdItems;
    flow.createdPoints += each.createdPoints;
  }
  let [items, points] = [scope.remainingItems, scope.remainingPoints];
  const backwards = withoutGaps(flows)
    .reverse()
    .map((flow) => {
      const at = { ...flow, remainingItems: items, remainingPoints: points };
      items += flow.completedItems - flow.createdItems;
      points += flow.completedPoints - flow.createdPoints;
      return at;
    });
  return backwards.reverse();
}

/** A project as the old application would have written it down. */
export function projectOfIssues(issues: readonly IssueFact[], updatedAt: string): ProjectData {
  const weeks = weeksOfIssues(issues);
  const open = issues.filter(({ resolved }) => resolved === null);
  const sum = (list: readonly IssueFact[]): number =>
    list.reduce((total, { points }) => total + (points ?? 0), 0);
  return {
    scope: {
      totalItems: issues.length,
      totalPoints: sum(issues),
      estimatedItems: issues.filter(({ points }) => points !== null).length,
      estimatedPoints: sum(issues),
      remainingItems: open.length,
      remainingPoints: sum(open),
      extras: {},
    },
    statistics: weeks.map(
      (week): Statistic => ({
        date: mondayOf(week.week),
        completedItems: week.completedItems,
        completedPoints: week.completedPoints,
        createdItems: week.createdItems,
        createdPoints: week.createdPoints,
        velocityItems: week.completedItems,
        velocityPoints: week.completedPoints,
        extras: {},
      }),
    ),
    metadata: { source: "jira", version: "2.0", last_updated: updatedAt },
    updatedAt,
  };
}

/** Days from creation to resolution of the issues that are done, the shortest first. */
export function leadTimesDays(issues: readonly IssueFact[]): number[] {
  return issues
    .flatMap(({ created, resolved }) =>
      created === null || resolved === null ? [] : [Math.max(0, daysBetween(created, resolved))],
    )
    .sort((a, b) => a - b);
}

/** The value that a share of all is not above, by the nearest rank; undefined of nothing. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** The mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

function flowOf(flows: Map<string, Mutable<WeekFlow>>, week: string): Mutable<WeekFlow> {
  const known = flows.get(week) ?? emptyWeek(week);
  flows.set(week, known);
  return known;
}

function emptyWeek(week: string): Mutable<WeekFlow> {
  return {
    week,
    completedItems: 0,
    completedPoints: 0,
    createdItems: 0,
    createdPoints: 0,
    remainingItems: 0,
    remainingPoints: 0,
  };
}

function withoutGaps(flows: ReadonlyMap<string, WeekFlow>): WeekFlow[] {
  const weeks = [...flows.keys()].sort();
  const [first, last] = [weeks[0], weeks.at(-1)];
  if (first === undefined || last === undefined) return [];
  const all: WeekFlow[] = [];
  for (let week = first; week <= last && all.length < WEEKS_MAX; week = addWeeks(week, 1)) {
    all.push(flows.get(week) ?? emptyWeek(week));
  }
  return all;
}
