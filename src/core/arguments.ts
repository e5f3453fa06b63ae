/** What JavaScript can pass although the types forbid it, told in the words of the call. */

import { SpringhouseError } from "./errors.ts";

/**
 * The error for an argument of another type.
 *
 * @param name of the argument, and of the call where that helps: `execute: parameters`.
 * @param wanted what it must be: `"a list"`.
 */
export function wrongArgument(name: string, wanted: string, given: unknown): SpringhouseError {
  const type = given === null ? "null" : typeof given;
  const message = `${name} must be ${wanted}, not ${type}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, type } });
}

/** Throws unless it is a text. */
export function assertText(name: string, given: unknown): void {
  if (typeof given !== "string") throw wrongArgument(name, "a text", given);
}

/** Throws unless it can be called. */
export function assertFunction(name: string, given: unknown): void {
  if (typeof given !== "function") throw wrongArgument(name, "a function", given);
}

/** Throws unless it is an array. */
export function assertList(name: string, given: unknown): void {
  if (!Array.isArray(given)) throw wrongArgument(name, "a list", given);
}

/** Throws unless it gives its items one by one; a text, which gives its letters, does not count. */
export function assertIterable(name: string, given: unknown): void {
  const isObject = typeof given === "object" && given !== null;
  if (isObject && (Symbol.iterator in given || Symbol.asyncIterator in given)) return;
  throw wrongArgument(name, "a list or another iterable", given);
}

/** Throws unless it is a list of texts. */
export function assertTexts(name: string, given: unknown): void {
  assertList(name, given);
  for (const [index, text] of (given as readonly unknown[]).entries()) {
    assertText(`${name}.${index}`, text);
  }
}

/** Throws unless it is true or false. */
export function assertFlag(name: string, given: unknown): void {
  if (typeof given !== "boolean") throw wrongArgument(name, "true or false", given);
}

/** Throws unless it can have options; which ones it has, others look at. */
export function assertOptions(name: string, given: unknown): void {
  if (typeof given === "object" && given !== null) return;
  throw wrongArgument(name, "an object of options", given);
}

/** Throws unless it tells the time and runs timers. */
export function assertClock(name: string, given: unknown): void {
  assertMethods(name, "a clock", given, ["nowMs", "monotonicMs", "schedule"]);
}

/**
 * Throws unless it has the methods, naming the first that it lacks.
 *
 * @param wanted what it must be: `"a tier"`.
 */
export function assertMethods(
  name: string,
  wanted: string,
  given: unknown,
  methods: readonly string[],
): void {
  const isObject = typeof given === "object" && given !== null;
  if (!isObject && typeof given !== "function") throw wrongArgument(name, wanted, given);
  const has = given as Readonly<Record<string, unknown>>;
  const missing = methods.find((method) => typeof has[method] !== "function");
  if (missing === undefined) return;
  if (!isObject) throw wrongArgument(name, wanted, given);
  const message = `${name} must be ${wanted}; what was given has no method ${missing}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, missing } });
}
