/**
 * Whether a text is a schedule of cron: five fields, each a list of values, ranges and steps, as
 * POSIX has them, with the steps and names that every cron adds. What runs on a schedule comes
 * with its own reader; this one says early, and by name, which field cannot be meant.
 */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Words for values, the first for `first`. */
  readonly words?: readonly string[];
  readonly first?: number;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, words: MONTHS, first: 1 },
  // Sunday is 0 and 7.
  { name: "day of week", min: 0, max: 7, words: DAYS, first: 0 },
];
/** Days of each month, in a leap year: a day that comes in none of the months never comes. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Why a text is no schedule; undefined when it is one. */
export function scheduleProblem(text: string): string | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    return "Give five fields: minute, hour, day of month, month, day of week";
  }
  for (const [index, field] of FIELDS.entries()) {
    const part = parts[index] ?? "";
    if (valuesOf(part, field) === undefined) return `The ${field.name} "${part}" ${rule(field)}`;
  }
  return dayProblem(parts);
}

function rule({ min, max, words }: Field): string {
  const names = words === undefined ? "" : `, or names such as ${words[0]}`;
  return `must be *, or values, ranges, lists and steps from ${min} to ${max}${names}`;
}

/** The values of a field; undefined when one of its parts cannot be meant. */
function valuesOf(text: string, field: Field): readonly number[] | undefined {
  const values: number[] = [];
  for (const part of text.split(",")) {
    const [, range = "", step] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
    const [from, to] = rangeOf(range, field, step !== undefined);
    const every = Number(step ?? 1);
    if (from === undefined || to === undefined || from > to || every < 1) return undefined;
    if (every > field.max) return undefined;
    for (let value = from; value <= to; value += every) values.push(value);
  }
  return values;
}

/** First and last value of `*`, `7`, `1-5`; a step after one value goes on to the greatest. */
function rangeOf(range: string, field: Field, hasStep: boolean): readonly (number | undefined)[] {
  if (range === "*") return [field.min, field.max];
  const [first = "", last, ...rest] = range.split("-");
  if (rest.length > 0) return [];
  const from = toValue(first, field);
  if (last !== undefined) return [from, toValue(last, field)];
  return [from, hasStep ? field.max : from];
}

function toValue(text: string, { min, max, words = [], first = 0 }: Field): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return first + word;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** A schedule for the 30th of February alone would never come. */
function dayProblem([, , day = "*", month = "*", weekday = "*"]: readonly string[]):
  | string
  | undefined {
  const [, , days, months] = FIELDS;
  if (days === undefined || months === undefined || weekday !== "*") return undefined;
  const firstDay = Math.min(...(valuesOf(day, days) ?? []));
  const longest = Math.max(...(valuesOf(month, months) ?? []).map((at) => MONTH_DAYS[at - 1] ?? 0));
  return firstDay > longest ? `The day of month "${day}" comes in no month "${month}"` : undefined;
}
