/** What cached functions refuse, told in their words: parts below know of no functions. */

import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";

const DATA = "plain objects, lists, texts, numbers, bytes, dates, maps and sets";

/** The error for arguments that cannot be a key, or cannot be copied; any other as it is. */
export function argumentRefusal(error: unknown): unknown {
  const isOurs = isSpringhouseError(error, "INVALID_ARGUMENT");
  const isUncopyable = (error as Error).name === "DataCloneError";
  if (!isOurs && !isUncopyable) return error;
  const what = isOurs ? String(error.fields["what"]) : `One of them (${messageOf(error)})`;
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `The arguments of a cached function are its key. ${what} cannot be part of a key. Pass data: ` +
      `${DATA}.`,
    { cause: error },
  );
}

/** The error for a result that is not data; any other as it is. */
export function resultRefusal(error: unknown, name: string): unknown {
  if (!isSpringhouseError(error, "INVALID_ARGUMENT")) return error;
  const { path, what } = error.fields;
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${String(what)} cannot be the result of the cached function "${name}". Give data: ${DATA}.`,
    { cause: error, fields: { name, path } },
  );
}
