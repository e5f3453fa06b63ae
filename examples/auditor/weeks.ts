/**
 * ISO 8601 weeks: they begin on Monday, and a week belongs to the year that its Thursday is in, so
 * the first days of January can belong to the last week of the year before. All times are UTC.
 */

import { invalid } from "./invalid.ts";

const DAY_MS = 86_400_000;
const LABEL = /^(\d{4})-W(\d{2})$/;

/** Weeks since the one that the year 1970 began in; the same for all moments of a week. */
export function weekNumberOf(ms: number): number {
  return Math.floor((Math.floor(ms / DAY_MS) + 3) / 7);
}

/** The label of the week that a moment lies in, such as "2012-W44". */
export function weekLabelOf(ms: number): string {
  const thursday = mondayOf(Math.floor(ms / DAY_MS)) + 3;
  const year = new Date(thursday * DAY_MS).getUTCFullYear();
  const week = Math.floor((thursday - dayOf(year, 0, 1)) / 7) + 1;
  return `${String(year).padStart(4, "0")}-W${String(week).padStart(2, "0")}`;
}

/**
 * The moment at which a week begins, in milliseconds.
 *
 * @throws `VALIDATION` when the label has another shape, or the year has no such week.
 */
export function weekStartOf(label: string): number {
  const match = LABEL.exec(label);
  if (match === null) throw invalid(label, "is not a week; write year and week as 2012-W44");
  // The 4th of January is in week 1 of its year by definition.
  const startMs = (mondayOf(dayOf(Number(match[1]), 0, 4)) + (Number(match[2]) - 1) * 7) * DAY_MS;
  if (weekLabelOf(startMs) !== label) throw invalid(label, "is not a week; that year has none so");
  return startMs;
}

/** Days since 1970 of the Monday on or before `day`; day 0 was a Thursday. */
function mondayOf(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7);
}

function dayOf(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month, day) / DAY_MS);
}
