/**
 * Next times of schedules, which is all that croner is asked for: what has run, and what was
 * missed, stands in a table.
 *
 * Where clocks are set forward, a time that does not come is the first moment after the gap; where
 * they are set back, a time that comes twice is its first one. So a daily schedule runs once on
 * every day.
 */

import { messageOf, SpringhouseError } from "../../core/errors.ts";

/** Milliseconds of the first time after a moment. */
export type NextTime = (expression: string, afterMs: number) => number;

/**
 * Loads what reads expressions.
 *
 * @param timeZone such as "Europe/Berlin". Undefined: that of the system.
 */
export async function loadNextTime(timeZone: string | undefined): Promise<NextTime> {
  const { Cron } = await import("croner");
  const zone = timeZone === undefined ? {} : { timezone: timeZone };
  return (expression, afterMs) => {
    const next = attempt(expression, () => {
      return new Cron(expression, { ...zone, paused: true, mode: "5-part" }).nextRun(
        new Date(afterMs),
      );
    });
    if (next !== null) return next.getTime();
    throw invalid(expression, "it never comes");
  };
}

/** Throws `INVALID_ARGUMENT` unless the system knows the time zone. */
export function assertTimeZone(name: string, timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (cause) {
    const shown = JSON.stringify(timeZone);
    const message = `${name}: ${shown} is no time zone. Give one such as "Europe/Berlin" or "UTC".`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { cause, fields: { name, timeZone } });
  }
}

function attempt<T>(expression: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw invalid(expression, messageOf(error), error);
  }
}

function invalid(expression: string, why: string, cause?: unknown): SpringhouseError {
  const message =
    `${JSON.stringify(expression)} is no schedule: ${why}. Give minute, hour, day of month, ` +
    'month and day of week, such as "0 2 * * *".';
  return new SpringhouseError("INVALID_ARGUMENT", message, { cause, fields: { expression } });
}
