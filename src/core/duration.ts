/** Durations as people write them ("500ms", "5m", "1h30m"), as milliseconds inside. */

import { SpringhouseError } from "./errors.ts";
import { shown } from "./shown.ts";

/** A number of milliseconds, or a text such as `"250ms"`, `"5s"`, `"1h30m"`, `"7d"`. */
export type Duration = number | string;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;

/**
 * Milliseconds of a duration.
 *
 * @param name what is being parsed, for the message.
 * @throws `INVALID_ARGUMENT` when the value is negative, not finite or not a duration.
 * @example parseDurationMs("1h30m", "timeout") // 5_400_000
 */
export function parseDurationMs(value: Duration, name: string): number {
  if (typeof value === "number") {
    if (Number.isFinite(value) && value >= 0) return value;
  } else if (typeof value === "string" && WHOLE.test(value)) {
    let totalMs = 0;
    for (const [, amount, unit] of value.matchAll(PART)) {
      totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
    }
    return totalMs;
  }
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `${name}: ${shown(value)} is not a duration. ` +
      'Give milliseconds as a number, or a text such as "250ms", "5s", "10m", "1h30m", "7d".',
    { fields: { name, value } },
  );
}

/** A duration for people: "820 µs", "12.4 ms", "3.20 s", "2 m 05 s". */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1_000).toFixed(0)} µs`;
  if (ms < 1_000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

const AGES: readonly (readonly [unit: string, ms: number, untilMs: number])[] = [
  ["ms", 1, 1_000],
  ["s", 1_000, 120_000],
  ["min", 60_000, 7_200_000],
  ["h", 3_600_000, 172_800_000],
];

/** A time as people say how long ago something was: "45 s", "5 min", "26 h", "3 days". */
export function formatAge(ms: number): string {
  const [unit, unitMs] = AGES.find(([, , untilMs]) => ms < untilMs) ?? ["days", 86_400_000];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}
