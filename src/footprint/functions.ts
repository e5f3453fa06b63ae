/**
 * Functions of SQLite whose result depends on their arguments alone. One that is not here is
 * unknown, and a result that used it cannot be kept: nothing says when it changes.
 */

import { lowerAscii } from "../core/lower-ascii.ts";

const CORE = `abs char coalesce concat concat_ws format glob hex if ifnull iif instr length like
  likelihood likely lower ltrim max min nullif octet_length printf quote replace round rtrim sign
  soundex substr substring trim typeof unhex unicode unistr unistr_quote unlikely upper zeroblob`;

const MATH = `acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log
  log10 log2 mod pi pow power radians sin sinh sqrt tan tanh trunc`;

const AGGREGATE = `avg count group_concat max median min percentile percentile_cont percentile_disc
  string_agg sum total`;

const WINDOW = `cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank
  rank row_number`;

const JSON_FUNCTIONS = `-> ->> json json_array json_array_insert json_array_length
  json_error_position json_extract json_group_array json_group_object json_insert json_object
  json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb
  jsonb_array jsonb_array_insert jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert
  jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set`;

const DETERMINISTIC = new Set(
  [CORE, MATH, AGGREGATE, WINDOW, JSON_FUNCTIONS].flatMap((names) => names.split(/\s+/)),
);

/** Table-valued functions that read nothing but their arguments. */
export const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "json_each",
  "json_tree",
  "generate_series",
]);

/** Functions of time, by the place of their time value among the arguments. */
const TIME_VALUE_AT: ReadonlyMap<string, number> = new Map([
  ["date", 0],
  ["time", 0],
  ["datetime", 0],
  ["julianday", 0],
  ["unixepoch", 0],
  ["strftime", 1],
]);

/** `timediff` takes two time values, and no modifier that would keep "now" away. */
const TIME_WITHOUT_MODIFIER = "timediff";

/** Modifiers before which "now" is no time value, so that the clock is never read. */
const NUMBERS_ONLY: ReadonlySet<string> = new Set(["unixepoch", "julianday"]);

/** Modifiers that ask for the time zone of the machine. */
const ZONES: ReadonlySet<string> = new Set(["localtime", "utc"]);

const NAME = /^[a-z_][a-z0-9_]*$/;

/** An argument, as far as it matters: the text of a literal, or undefined. */
export type ArgumentText = string | undefined;

/**
 * Why a call keeps a result from being kept, or undefined when it does not. Without `literals`, the
 * arguments are not known.
 */
export function refusalOfFunction(
  name: string,
  literals?: readonly ArgumentText[],
): string | undefined {
  const lower = lowerAscii(name);
  if (DETERMINISTIC.has(lower)) return undefined;
  const place = TIME_VALUE_AT.get(lower);
  if (place !== undefined && readsNoClock(literals, place)) return undefined;
  if (place !== undefined || lower === TIME_WITHOUT_MODIFIER) {
    return `The function ${lower}() may read the clock.`;
  }
  if (!NAME.test(lower)) return `"${name}" is not the name of a function.`;
  return `The function ${lower}() is not known to depend on its arguments alone.`;
}

function readsNoClock(literals: readonly ArgumentText[] | undefined, place: number): boolean {
  const [first, ...others] = literals?.slice(place + 1) ?? [];
  if (first === undefined || !NUMBERS_ONLY.has(lowerAscii(first))) return false;
  return others.every((text) => text !== undefined && !ZONES.has(lowerAscii(text.trim())));
}
