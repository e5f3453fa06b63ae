/**
 * Moments as texts of one form, "2025-12-23T10:00:00.000Z": 24 characters, always UTC, so that
 * texts compare as the moments do, in SQL as well.
 */

import { createHash } from "node:crypto";
import { CACHE_LIFE_HOURS } from "./model.ts";

const DAY = /(\d{4})-(\d{2})-(\d{2})/;
const TIME = /(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?/;
const MOMENT = new RegExp(`^${DAY.source}(?:[T ]${TIME.source})?$`);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** The text of a moment. */
export function momentOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds since 1970 of a text of the one form. */
export function msOf(moment: string): number {
  return Date.parse(moment);
}

/**
 * The moment that an ISO 8601 text means, as the old files and JIRA write it: with any offset
 * ("+02:00", "+0000") or none, which is taken as UTC, and to the microsecond, of which milliseconds
 * remain. Undefined when it is no moment or does not exist, as the 30th of February.
 */
export function parseMoment(text: string): string | undefined {
  const match = MOMENT.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = ""] = match;
  const offset = offsetMs(match[8] ?? "Z");
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), h, m, s);
  const date = new Date(ms);
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!exists || h > 23 || m > 59 || s > 59 || offset === undefined) return undefined;
  return momentOf(ms + Number(fraction.padEnd(3, "0").slice(0, 3)) - offset);
}

/** The day of a text that is a day or a moment, "2025-06-12"; undefined when it is neither. */
export function parseDay(text: string): string | undefined {
  const moment = parseMoment(text);
  // A day is what stands there: an offset would move it.
  return moment === undefined ? undefined : text.trim().slice(0, 10);
}

/** When an answer that was given at this moment is no longer good. */
export function expiryOf(moment: string): string {
  return momentOf(msOf(moment) + CACHE_LIFE_HOURS * HOUR_MS);
}

/** Days between two moments or days, with fractions. */
export function daysBetween(from: string, to: string): number {
  return (msOf(to) - msOf(from)) / DAY_MS;
}

/** The day that lies so many days after another. */
export function addDays(day: string, days: number): string {
  return momentOf(msOf(day) + Math.round(days) * DAY_MS).slice(0, 10);
}

/** The key of an answer: the search and its fields. Sixteen hexadecimal digits. */
export function cacheKeyOf(jql: string, fields: unknown): string {
  const text = JSON.stringify([jql, fields ?? null]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function offsetMs(text: string): number | undefined {
  if (text === "Z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  if (hours > 18 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * HOUR_MS + minutes * 60_000);
}
