/** Dates and times in the shapes that the origin's files use. What has no zone is taken as UTC. */

import { invalid } from "./invalid.ts";

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](.+))?$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?$/;
const CESAW = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})$/;

/**
 * The day of "2025-06-12", also with a time behind it, as "2025-06-12".
 *
 * @throws `VALIDATION` when the text has another shape or the day does not exist.
 */
export function parseDate(text: string): string {
  const trimmed = text.trim();
  const match = DATE.exec(trimmed);
  const day = trimmed.slice(0, 10);
  if (match === null || !exists(Number(match[1]), Number(match[2]), Number(match[3]))) {
    throw invalid(text, "is not a date; write year, month and day as 2025-06-12");
  }
  if (match[4] !== undefined) parseMoment(trimmed);
  return day;
}

/**
 * Milliseconds since 1970 of "2025-06-12 08:18:13" or "2025-06-12T08:18:13.123456+02:00".
 *
 * @throws `VALIDATION` when the text has another shape or the moment does not exist.
 */
export function parseMoment(text: string): number {
  const [, year, month, day, rest] = DATE.exec(text.trim()) ?? [];
  const time = rest === undefined ? ["", "00", "00"] : TIME.exec(rest);
  const [, hour, minute, second = "00", fraction = "0", zone = "Z"] = time ?? [];
  if (
    !exists(Number(year), Number(month), Number(day)) ||
    !(Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60)
  ) {
    throw invalid(text, "is not a moment; write it as 2025-06-12 08:18:13");
  }
  const milliseconds = fraction.padEnd(3, "0").slice(0, 3);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${zone}`);
}

/**
 * Milliseconds since 1970 of CESAW's "10/29/2012 13:12" (month first).
 *
 * @throws `VALIDATION` when the text has another shape or the moment does not exist.
 */
export function parseCesawMoment(text: string): number {
  const match = CESAW.exec(text);
  if (match !== null) {
    const [month, day, year, hour, minute] = match.slice(1).map(Number) as CesawParts;
    if (exists(year, month, day) && hour < 24 && minute < 60) {
      return Date.UTC(year, month - 1, day, hour, minute);
    }
  }
  throw invalid(text, "is not a moment; CESAW writes them as 10/29/2012 13:12");
}

type CesawParts = [month: number, day: number, year: number, hour: number, minute: number];

/** The ISO day of a moment, in UTC. */
export function dayOfMoment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function exists(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
