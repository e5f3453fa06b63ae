/**
 * ISO 8601 weeks: they begin on Monday, and a week belongs to the year of its Thursday. The old
 * files write one week as "2025-4", "2025-04" or "2025-W04"; here it is always the last, so that
 * weeks sort as texts.
 */

import { momentOf, msOf } from "./moments.ts";

const DAY_MS = 86_400_000;
const WEEK = /^(\d{4})-W?(\d{1,2})$/;

/** The week of a day or a moment. */
export function weekOf(moment: string): string {
  const thursday = mondayMs(msOf(moment)) + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/** The week that a text means; undefined when it is none, or that year has no such week. */
export function parseWeek(text: string): string | undefined {
  const [, year, number] = WEEK.exec(text.trim()) ?? [];
  if (year === undefined || number === undefined) return undefined;
  const week = `${year}-W${number.padStart(2, "0")}`;
  return weekOf(mondayOf(week)) === week ? week : undefined;
}

/** The Monday of a week, as a day. */
export function mondayOf(week: string): string {
  // The 4th of January is in week 1 of its year by definition.
  const first = mondayMs(Date.UTC(Number(week.slice(0, 4)), 0, 4));
  return momentOf(first + (Number(week.slice(-2)) - 1) * 7 * DAY_MS).slice(0, 10);
}

/** The week that follows so many weeks after another. */
export function addWeeks(week: string, weeks: number): string {
  return weekOf(momentOf(msOf(mondayOf(week)) + weeks * 7 * DAY_MS));
}

function mondayMs(ms: number): number {
  const day = Math.floor(ms / DAY_MS);
  // Day 0 was a Thursday.
  return (day - ((((day + 3) % 7) + 7) % 7)) * DAY_MS;
}
