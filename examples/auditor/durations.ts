/**
 * Durations: whole seconds for calculation, `HH:MM:SS` for people. The two columns of a task are
 * always written together, from here, and a CHECK of the table holds any other writer to it.
 */

import { invalid } from "./invalid.ts";

/** Hours above this are taken for a typing mistake: eleven years on one task. */
const HOURS_MAX = 99_999;
const SHAPE = /^(\d{1,5}):([0-5]\d):([0-5]\d)$/;

/** The longest duration there is. */
export const DURATION_SECONDS_MAX: number = HOURS_MAX * 3_600 + 59 * 60 + 59;

/**
 * Seconds of a text such as "01:02:03" or "125:00:00".
 *
 * @throws `VALIDATION` when the text has another shape, or minutes or seconds above 59.
 */
export function parseDuration(text: string): number {
  const match = SHAPE.exec(text.trim());
  if (match === null) {
    throw invalid(text, "is not a duration; write hours, minutes and seconds as 01:02:03");
  }
  return Number(match[1]) * 3_600 + Number(match[2]) * 60 + Number(match[3]);
}

/**
 * "HH:MM:SS"; hours have two digits or, above 99, as many as they need.
 *
 * @throws `VALIDATION` when `seconds` is not a whole number from 0 to `DURATION_SECONDS_MAX`.
 */
export function displayDuration(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > DURATION_SECONDS_MAX) {
    throw invalid(seconds, `is not a duration; give whole seconds, 0 to ${DURATION_SECONDS_MAX}`);
  }
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
