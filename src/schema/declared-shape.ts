/**
 * What JavaScript can pass to `entity()` although the types forbid it: misspelt keys and values of
 * another shape are refused in the words of the option, before anything reads them.
 */

import { refuseUnknownKeys } from "../core/options.ts";
import { show } from "./check.ts";
import { invalidSchema } from "./refuse.ts";
import { definition } from "./types.ts";

/** What a key has to be, in words and as a test. */
interface Rule {
  readonly wanted: string;
  readonly isMet: (value: unknown) => boolean;
  readonly isRequired?: true;
}

/** What the members of a list are, and how one is written. */
interface Shape {
  readonly keys: Readonly<Record<string, Rule>>;
  readonly example: string;
}

const TEXT: Rule = { wanted: "a text", isMet: (value) => typeof value === "string" };
const FLAG: Rule = { wanted: "true or false", isMet: (value) => typeof value === "boolean" };
const TEXTS: Rule = { wanted: 'a list such as ["weekId"]', isMet: isListOfTexts };
const PARTS: Rule = {
  wanted: 'a list such as ["weekId", { createdAt: "desc" }]',
  isMet: (value) =>
    Array.isArray(value) && value.every((part) => TEXT.isMet(part) || isPlainObject(part)),
};
const OBJECT: Rule = { wanted: "an object", isMet: isPlainObject };

const OPTIONS: Readonly<Record<string, Rule>> = {
  primaryKey: TEXTS,
  search: TEXTS,
  audit: FLAG,
};

const REFERENCES: Shape = {
  keys: { table: required(TEXT), columns: required(TEXTS) },
  example: '{ table: "weeks", columns: ["year", "week"] }',
};

const LISTS: Readonly<Record<string, Shape>> = {
  indexes: {
    keys: { on: required(PARTS), unique: FLAG, where: TEXT, name: TEXT },
    example: '{ on: ["weekId"] }',
  },
  uniques: { keys: { on: required(TEXTS), name: TEXT }, example: '{ on: ["weekId"] }' },
  checks: {
    keys: { name: required(TEXT), expression: required(TEXT) },
    example: '{ name: "ck_score", expression: "score >= 0" }',
  },
  foreignKeys: {
    keys: {
      on: required(TEXTS),
      references: required(OBJECT),
      onDelete: TEXT,
      onUpdate: TEXT,
    },
    example: `{ on: ["year", "week"], references: ${REFERENCES.example} }`,
  },
};

const BASE: Shape = {
  keys: { entity: required(OBJECT), set: OBJECT },
  example: '{ entity: Media, set: { type: "movie" } }',
};

const OPTION_KEYS = [...Object.keys(LISTS), ...Object.keys(OPTIONS), "base"];

/** @throws `INVALID_SCHEMA` naming the entity, the option and how it is written. */
export function refuseWrongShape(table: string, columns: unknown, options: object): void {
  if (!isPlainObject(columns)) {
    const example = "{ id: t.int().primaryKey() }";
    const reason = `its columns are an object such as ${example}, not ${show(columns)}`;
    throw invalidSchema(table, undefined, reason);
  }
  refuseUnknownKeys(options, OPTION_KEYS, `Entity "${table}"`, "INVALID_SCHEMA");
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, rule] of Object.entries(OPTIONS)) checkRule(table, name, rule, given[name]);
  for (const [name, shape] of Object.entries(LISTS)) checkList(table, name, shape, given[name]);
  if (given["base"] !== undefined) checkBase(table, given["base"]);
}

function checkBase(table: string, base: unknown): void {
  if (isPlainObject(base) && definition in base) {
    throw invalidSchema(table, undefined, `base is written ${BASE.example}, not the entity alone`);
  }
  checkShape(table, "base", BASE, base);
}

function checkList(table: string, name: string, shape: Shape, given: unknown): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    const reason = `${name} is a list such as [${shape.example}], not ${show(given)}`;
    throw invalidSchema(table, undefined, reason);
  }
  for (const [index, member] of given.entries()) {
    const what = `${name}[${index}]`;
    checkShape(table, what, shape, member);
    const references: unknown = member.references;
    if (references === undefined) continue;
    checkShape(table, `${what}.references`, REFERENCES, references);
  }
}

function checkShape(table: string, what: string, shape: Shape, given: unknown): void {
  const written = `is written ${shape.example}`;
  if (!isPlainObject(given)) {
    throw invalidSchema(table, undefined, `${what} ${written}, not as ${show(given)}`);
  }
  const place = `Entity "${table}": ${what} ${written}`;
  refuseUnknownKeys(given, Object.keys(shape.keys), place, "INVALID_SCHEMA");
  for (const [key, rule] of Object.entries(shape.keys)) {
    if (given[key] === undefined && rule.isRequired) {
      throw invalidSchema(table, undefined, `${what} has no "${key}"; it ${written}`);
    }
    checkRule(table, `${what}.${key}`, rule, given[key]);
  }
}

function checkRule(table: string, what: string, { wanted, isMet }: Rule, given: unknown): void {
  if (given === undefined || isMet(given)) return;
  throw invalidSchema(table, undefined, `${what} must be ${wanted}, not ${show(given)}`);
}

function required(rule: Rule): Rule {
  return { ...rule, isRequired: true };
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === "string");
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
