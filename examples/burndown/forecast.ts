/**
 * When a project will be done, from what was done in its last weeks, in two ways.
 *
 * Three points (PERT): the likely time is what remains by the mean pace, the optimistic one is
 * shorter by the profile's factor and the pessimistic one longer; the expected one is
 * (optimistic + 4 · likely + pessimistic) / 6.
 *
 * Monte Carlo: many possible futures, each of weeks drawn from the last ones; the day by which a
 * share of them is done. Nothing is added to what remains; how much came in is told beside it.
 */

import { randomNumbers } from "../common/random.ts";
import { mean, percentile, type WeekFlow } from "./figures.ts";
import type { JsonObject } from "./model.ts";
import { addDays, daysBetween, parseDay } from "./moments.ts";
import { addWeeks, mondayOf } from "./weeks.ts";

/** What is counted. */
export type Measure = "items" | "points";

export interface ForecastOptions {
  /** Default: "items". */
  readonly measure?: Measure;
  /** How many of the last weeks are drawn from. Default: 12. */
  readonly dataPoints?: number;
  /** How far the optimistic and the pessimistic time are from the likely one. Default: 1.2. */
  readonly pertFactor?: number;
  /** A day to be done by. Default: none. */
  readonly deadline?: string | null;
  /** Of the numbers that look random. Default: 1. */
  readonly seed?: number;
}

/** A day, or null beyond ten years. */
export type Day = string | null;

export interface Forecast {
  readonly measure: Measure;
  /** The last day that is known. */
  readonly from: string;
  readonly remaining: number;
  /** What was done in a week, in the mean of the weeks that were drawn from. */
  readonly pace: number;
  /** What came in in such a week. */
  readonly intake: number;
  readonly weeks: number;
  /** Days on which it is done; null for what is not done within ten years. */
  readonly pert: Readonly<Record<"optimistic" | "likely" | "pessimistic" | "expected", Day>>;
  /** By that day, 50, 85 or 95 of 100 futures are done. */
  readonly days: Readonly<Record<"p50" | "p85" | "p95", Day>>;
  readonly deadline: string | null;
  /** Share of the futures that are done by the deadline; null without one. */
  readonly deadlineChance: number | null;
}

/** Enough that the 95th percentile moves by no more than a week between two seeds. */
const FUTURES = 2_000;
/** A future that is longer has no end that anybody would plan with. */
const WEEKS_MAX = 520;
export const DATA_POINTS = 12;
export const PERT_FACTOR = 1.2;

/** What a profile says about forecasts. */
export function forecastOptionsOf(settings: JsonObject): ForecastOptions {
  const { pert_factor: factor, data_points_count: count, deadline } = settings;
  return {
    ...(typeof factor === "number" && factor >= 1 && { pertFactor: factor }),
    ...(typeof count === "number" && count >= 1 && { dataPoints: Math.floor(count) }),
    deadline: typeof deadline === "string" ? (parseDay(deadline) ?? null) : null,
  };
}

/** The forecast of a project; undefined when it has no weeks yet. */
export function forecast(
  weeks: readonly WeekFlow[],
  options: ForecastOptions = {},
): Forecast | undefined {
  const { measure = "items", dataPoints = DATA_POINTS, pertFactor = PERT_FACTOR } = options;
  const { deadline = null, seed = 1 } = options;
  const last = weeks.at(-1);
  if (last === undefined) return undefined;
  const recent = weeks.slice(-dataPoints);
  const done = recent.map((week) =>
    measure === "items" ? week.completedItems : week.completedPoints,
  );
  const added = recent.map((week) =>
    measure === "items" ? week.createdItems : week.createdPoints,
  );
  const remaining = Math.max(0, measure === "items" ? last.remainingItems : last.remainingPoints);
  const pace = mean(done);
  const from = addDays(mondayOf(addWeeks(last.week, 1)), -1);
  const futures = futureWeeks(remaining, done, seed);
  return {
    measure,
    from,
    remaining,
    pace,
    intake: mean(added),
    weeks: recent.length,
    pert: pertDays(from, remaining === 0 ? 0 : remaining / pace, pertFactor),
    days: futureDays(from, futures),
    deadline,
    deadlineChance: deadline === null ? null : chanceOf(futures, from, deadline),
  };
}

function pertDays(from: string, likely: number, factor: number): Forecast["pert"] {
  const [optimistic, pessimistic] = [likely / factor, likely * factor];
  return {
    optimistic: dayAfter(from, optimistic),
    likely: dayAfter(from, likely),
    pessimistic: dayAfter(from, pessimistic),
    expected: dayAfter(from, (optimistic + 4 * likely + pessimistic) / 6),
  };
}

function dayAfter(from: string, weeks: number): Day {
  return weeks < WEEKS_MAX ? addDays(from, weeks * 7) : null;
}

/** How many weeks each future takes, the shortest first. */
function futureWeeks(remaining: number, done: readonly number[], seed: number): number[] {
  const random = randomNumbers(seed);
  const futures: number[] = [];
  for (let future = 0; future < FUTURES; future++) {
    let [left, weeks] = [remaining, 0];
    while (left > 0 && weeks < WEEKS_MAX) {
      left -= done[Math.floor(random() * done.length)] ?? 0;
      weeks++;
    }
    futures.push(weeks);
  }
  return futures.sort((a, b) => a - b);
}

function futureDays(from: string, futures: readonly number[]): Forecast["days"] {
  const day = (share: number): Day => dayAfter(from, percentile(futures, share) ?? WEEKS_MAX);
  return { p50: day(0.5), p85: day(0.85), p95: day(0.95) };
}

function chanceOf(futures: readonly number[], from: string, deadline: string): number {
  const weeks = daysBetween(from, deadline) / 7;
  return futures.filter((each) => each <= weeks).length / futures.length;
}
