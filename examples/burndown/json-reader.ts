/**
 * Reads one JSON object of an old file by the types that are expected of it.
 *
 * Each key that is asked for is taken, and what was never asked for remains as `extras`, so that
 * nothing of a file gets lost. What is missing or null has a default; what is there and of another
 * type is a problem, named by its path.
 */

import type { JsonObject } from "./model.ts";
import { parseDay, parseMoment } from "./moments.ts";

/** Where in a value: property names and positions, outermost first. */
export type Path = readonly (string | number)[];
/** Told what is wrong, and where. */
export type Complain = (path: Path, reason: string) => void;

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export class JsonReader {
  readonly #value: JsonObject;
  readonly #path: Path;
  readonly #complain: Complain;
  readonly #taken = new Set<string>();

  /** What is no object is a problem, and then read as an empty one. */
  constructor(value: unknown, path: Path, complain: Complain) {
    if (!isObject(value)) complain(path, `is ${kindOf(value)}, not an object`);
    this.#value = isObject(value) ? value : {};
    this.#path = path;
    this.#complain = complain;
  }

  /** The first of these keys that is there; the others remain among the extras. */
  #take(keys: readonly string[]): { readonly key: string; readonly value: unknown } {
    const key = keys.find((each) => this.#own(each) != null) ?? keys[0] ?? "";
    this.#taken.add(key);
    return { key, value: this.#own(key) };
  }

  /** Changelogs have a key "toString", which every object inherits. */
  #own(key: string): unknown {
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined;
  }

  /** A text; a number is taken as one. */
  text(keys: string | readonly string[], fallback: string): string {
    const { key, value } = this.#take([keys].flat());
    if (value == null) return fallback;
    if (typeof value === "string") return value;
    if (typeof value === "number") return String(value);
    this.problem(key, `is ${kindOf(value)}, not a text`);
    return fallback;
  }

  /** A number, also written as a text. */
  number(keys: string | readonly string[], fallback: number): number {
    const { key, value } = this.#take([keys].flat());
    if (value == null || value === "") return fallback;
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number)) return number;
    this.problem(key, `is ${shown(value)}, not a number`);
    return fallback;
  }

  /** True or false, also as 0, 1 or the list of a checkbox: `[]` is false, `["show"]` is true. */
  flag(keys: string | readonly string[], fallback: boolean): boolean {
    const { key, value } = this.#take([keys].flat());
    if (value == null) return fallback;
    if (typeof value === "boolean") return value;
    if (value === 0 || value === 1) return value === 1;
    if (Array.isArray(value)) return value.length > 0;
    this.problem(key, `is ${shown(value)}, neither true nor false`);
    return fallback;
  }

  /** A moment in the one form. */
  moment(keys: string | readonly string[], fallback: string): string {
    return this.#time(keys, fallback, parseMoment, "a moment such as 2025-12-23T10:00:00Z");
  }

  /** A day. */
  day(keys: string | readonly string[], fallback: string): string {
    return this.#time(keys, fallback, parseDay, "a day such as 2025-12-23");
  }

  /** An object. */
  object(keys: string | readonly string[]): JsonObject {
    const { key, value } = this.#take([keys].flat());
    if (value == null) return {};
    if (isObject(value)) return value;
    this.problem(key, `is ${kindOf(value)}, not an object`);
    return {};
  }

  /** A list. */
  list(keys: string | readonly string[]): readonly unknown[] {
    const { key, value } = this.#take([keys].flat());
    if (value == null) return [];
    if (Array.isArray(value)) return value;
    this.problem(key, `is ${kindOf(value)}, not a list`);
    return [];
  }

  /** A value as it is. */
  any(keys: string | readonly string[]): unknown {
    return this.#take([keys].flat()).value;
  }

  /** What nobody has asked for. */
  extras(): JsonObject {
    return Object.fromEntries(Object.entries(this.#value).filter(([key]) => !this.#taken.has(key)));
  }

  /** Says that the value of a key cannot be used. */
  problem(key: string, reason: string): void {
    this.#complain([...this.#path, key], reason);
  }

  #time(
    keys: string | readonly string[],
    fallback: string,
    parse: (text: string) => string | undefined,
    wanted: string,
  ): string {
    const { key, value } = this.#take([keys].flat());
    if (value == null || value === "") return fallback;
    const parsed = typeof value === "string" ? parse(value) : undefined;
    if (parsed !== undefined) return parsed;
    this.problem(key, `is ${shown(value)}, not ${wanted}`);
    return fallback;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Long enough to know the value again. */
const SHOWN_CHARACTERS = 40;

function shown(value: unknown): string {
  if (typeof value === "object") return kindOf(value);
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
