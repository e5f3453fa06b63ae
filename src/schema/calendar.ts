/**
 * Days and moments as text. Years run from 0001 to 9999: what ISO 8601 writes with four digits and
 * both databases can store.
 */

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const MOMENT =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** The first millisecond of the year 1. */
const MOMENT_MIN_MS = -62_135_596_800_000;
/** The last millisecond of the year 9999. */
const MOMENT_MAX_MS = 253_402_300_799_999;

/** Whether `text` is a real day such as `"2024-02-29"`. */
export function isCalendarDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : MONTH_DAYS[month - 1];
  return year > 0 && days !== undefined && day >= 1 && day <= days;
}

/** The moment that a `Date`, an ISO text with zone or epoch milliseconds mean, or undefined. */
export function momentOf(value: unknown): Date | undefined {
  let date: Date;
  if (value instanceof Date) date = value;
  else if (typeof value === "number" && Number.isInteger(value)) date = new Date(value);
  else if (typeof value === "string" && isMomentText(value)) date = new Date(value);
  else return undefined;
  const ms = date.getTime();
  return ms >= MOMENT_MIN_MS && ms <= MOMENT_MAX_MS ? date : undefined;
}

function isMomentText(text: string): boolean {
  const match = MOMENT.exec(text);
  return match !== null && isCalendarDate(match[1] ?? "");
}
