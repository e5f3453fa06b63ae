/**
 * One value: what was written, as text or as data, becomes what the key is resolved to.
 *
 * A number for a duration counts milliseconds, as everywhere in the library, except under an alias
 * that counts seconds. Text from the environment must carry its unit, since it shows no type.
 */

import { isAbsolute, resolve } from "node:path";
import { type ByteSize, parseBytes } from "../core/bytes.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import type { AliasUnit, KeyFacts, KeyType } from "./keys.ts";
import { scheduleProblem } from "./schedule.ts";

/** A value that somebody has given, and where. */
export interface Setting {
  readonly value: unknown;
  /** Names the place in messages: "springhouse.config.json: database.url". */
  readonly place: string;
  /** The folder at which relative paths begin. */
  readonly base: string;
  readonly unit: AliasUnit;
}

/** SQLite's usual size of a page, in which the seeds count their page cache. */
const PAGE_BYTES = 4_096;
const MS_PER_SECOND = 1_000;

/** The error for a value that cannot be used; the value itself is not repeated for a URL. */
export function refuse(setting: Setting, problem: string): SpringhouseError {
  return new SpringhouseError("CONFIG", `${setting.place}: ${problem}`, {
    fields: { place: setting.place },
  });
}

/**
 * Resolves a setting of a key.
 *
 * @throws `CONFIG` naming the place and what would be right.
 */
export function resolveValue(facts: KeyFacts, setting: Setting): unknown {
  const value = inUnitOfKey(facts, setting);
  const reason = facts.refused?.[String(value).toUpperCase()];
  if (reason !== undefined) {
    throw refuse(setting, `${String(value)} is refused: ${reason}. ${choices(facts)}`);
  }
  const resolved = RESOLVE[facts.type](value, facts, setting);
  if (facts.fixed !== undefined && resolved !== facts.default) {
    throw refuse(setting, `${String(value)} is refused: ${facts.fixed}. It can only be 0`);
  }
  return resolved;
}

/** Turns the text of an environment variable into the value that a file would hold. */
export function parseText(facts: KeyFacts, text: string): unknown {
  switch (facts.type) {
    case "boolean":
      return BOOLEANS.get(text.toLowerCase()) ?? text;
    case "count":
      return /^\d+$/.test(text) ? Number(text) : text;
    case "bytes":
      return /^\d+$/.test(text) ? Number(text) : text;
    case "list":
      return text === "" ? [] : text.split(",").map((part) => part.trim());
    case "durations":
      return Object.fromEntries(
        text
          .split(",")
          .filter((part) => part.trim() !== "")
          .map((part) => [part.split("=")[0]?.trim(), part.split("=").slice(1).join("=").trim()]),
      );
    default:
      return text;
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["off", false],
]);

function inUnitOfKey(facts: KeyFacts, { value, unit }: Setting): unknown {
  if (unit === "seconds" && typeof value === "number") return value * MS_PER_SECOND;
  if (unit === "pages" && typeof value === "number") return value * PAGE_BYTES;
  if (unit === "file" && typeof value === "string") return `sqlite:${value}`;
  if (facts.type === "choice" && typeof value === "string") return inCaseOf(facts, value);
  return value;
}

/** SQL's words are upper case in some files and lower case in others. */
function inCaseOf(facts: KeyFacts, value: string): string {
  return facts.values?.find((known) => known.toLowerCase() === value.toLowerCase()) ?? value;
}

type Resolver = (value: unknown, facts: KeyFacts, setting: Setting) => unknown;

const RESOLVE: Readonly<Record<KeyType, Resolver>> = {
  boolean: (value, _facts, setting) => {
    if (typeof value === "boolean") return value;
    throw refuse(setting, `${shown(value)} is neither true nor false.`);
  },
  bytes: (value, _facts, setting) => measured(setting, () => parseBytes(value as ByteSize, "")),
  choice: (value, facts, setting) => {
    if (typeof value === "string" && facts.values?.includes(value) === true) return value;
    throw refuse(setting, `${shown(value)} is not known. ${choices(facts)}`);
  },
  count: (value, facts, setting) => {
    const min = facts.min ?? 0;
    if (Number.isSafeInteger(value) && (value as number) >= min) return value;
    throw refuse(setting, `${shown(value)} is not a whole number of at least ${min}.`);
  },
  duration: (value, _facts, setting) => duration(value, setting),
  durations: (value, _facts, setting) => {
    if (!isPlainObject(value)) throw refuse(setting, "give names and durations.");
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        duration(each, { ...setting, place: `${setting.place}.${name}` }),
      ]),
    );
  },
  list: (value, _facts, setting) => {
    if (Array.isArray(value) && value.every((part) => typeof part === "string")) return value;
    throw refuse(setting, `${shown(value)} is not a list of texts.`);
  },
  path: (value, _facts, setting) => {
    if (typeof value === "string" && value !== "" && !value.includes("\0")) {
      return resolve(setting.base, value);
    }
    throw refuse(setting, `${shown(value)} is not a path.`);
  },
  schedule: (value, _facts, setting) => {
    const problem = scheduleProblem(typeof value === "string" ? value : "");
    if (typeof value === "string" && problem === undefined) return value.trim();
    throw refuse(setting, `${shown(value)} is not a schedule. ${problem}, such as "0 2 * * *".`);
  },
  secret: (value, _facts, setting) => {
    if (typeof value === "string" && value !== "") return value;
    throw refuse(setting, "it is not a text.");
  },
  timeZone: (value, _facts, setting) => {
    if (typeof value === "string" && isTimeZone(value)) return value;
    throw refuse(setting, `${shown(value)} is no time zone. Give one such as "Europe/Berlin".`);
  },
  url: (value, facts, setting) => {
    const scheme = typeof value === "string" ? /^([a-z][a-z0-9]+):/.exec(value)?.[1] : undefined;
    if (scheme !== undefined && facts.schemes?.includes(scheme) === true) {
      return fromBase(value as string, setting.base);
    }
    const forms = facts.schemes?.map((known) => `${known}:`).join(", ");
    if (facts.orFolder !== true) throw refuse(setting, `the URL must begin with one of ${forms}.`);
    if (typeof value === "string" && value !== "" && !/[\0]|^[a-z][a-z0-9+.-]+:/i.test(value)) {
      return resolve(setting.base, value);
    }
    throw refuse(setting, `give a folder, or a URL that begins with one of ${forms}.`);
  },
};

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }) !== undefined;
  } catch {
    return false;
  }
}

function duration(value: unknown, setting: Setting): number {
  return measured(setting, () => parseDurationMs(value as Duration, ""));
}

/** Runs a parser of `core`, whose message begins with an empty name and a colon. */
function measured(setting: Setting, parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    throw refuse(setting, messageOf(error).replace(/^: /, ""));
  }
}

/** A relative path of a SQLite URL begins at the folder of the file, not of the process. */
function fromBase(url: string, base: string): string {
  const [, slashes = "", path = ""] = /^sqlite:(\/\/\/)?([^:/?#].*)$/.exec(url) ?? [];
  if (path === "" || isAbsolute(path)) return url;
  return `sqlite:${slashes}${resolve(base, path)}`;
}

function choices({ values = [] }: KeyFacts): string {
  return `Give one of: ${values.join(", ")}.`;
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** Whether a value is a group of names: an object, but no list. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
