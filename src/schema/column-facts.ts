/**
 * From a declared column to its facts, and the rules that a column has to keep by itself. Whatever
 * could never work is refused here, with the reason, before any database has seen it.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { compileCheck, show } from "./check.ts";
import type { AnyColumn, ColumnSettings } from "./column.ts";
import type { ColumnFacts, ColumnKind, ReferenceFact, ReferentialAction } from "./facts.ts";
import { isPropertyName, nameProblem, snakeCase } from "./names.ts";
import { invalidSchema } from "./refuse.ts";

const ACTIONS: readonly ReferentialAction[] = [
  "cascade",
  "restrict",
  "set null",
  "set default",
  "no action",
];
/** The words that combine conditions: properties of these names could not be filtered by. */
export const LOGIC: readonly string[] = ["and", "or", "not"];
const REFERENCE_OPTIONS = ["onDelete", "onUpdate"];
const REFERENCE = /^([^.]+)\.([^.]+)$/;

/** The settings that only make sense for some kinds. */
const KINDS_OF_SETTING: Readonly<Partial<Record<keyof ColumnSettings, readonly ColumnKind[]>>> = {
  min: ["int", "bigint", "real"],
  max: ["int", "bigint", "real"],
  minLength: ["text"],
  maxLength: ["text"],
  pattern: ["text"],
  trim: ["text"],
  values: ["enum"],
};
const KINDS_OF_NOW: readonly ColumnKind[] = ["timestamp", "date"];
/** Kinds whose values cannot be found again by comparing them. */
const KINDS_NOT_KEY: readonly ColumnKind[] = ["real", "json", "blob"];

/** The facts of one column. `isKey`: part of the primary key, in whichever way that was said. */
export function columnFacts(
  table: string,
  property: string,
  column: AnyColumn,
  isKey: boolean,
): ColumnFacts {
  const refuse = (reason: string): Error => invalidSchema(table, property, reason);
  if (!isPropertyName(property)) {
    throw refuse("a property is a letter followed by letters, digits and underscores");
  }
  if (LOGIC.includes(property)) {
    throw refuse(`is a word of where (${LOGIC.join(", ")}); take another and name it by column()`);
  }
  if (!isColumn(column)) throw refuse("is not a column; declare it with t, as in t.text()");
  const { references, pattern, name, ...settings } = column.settings;
  const form = formProblem(column.settings);
  if (form !== undefined) throw refuse(form);
  const facts: ColumnFacts = {
    ...settings,
    property,
    name: name ?? snakeCase(property),
    primaryKey: isKey,
    ...(pattern === undefined ? {} : { pattern: withoutPosition(pattern) }),
    ...(references === undefined
      ? {}
      : { references: parseReference(table, property, references) }),
  };
  const problem = columnProblem(facts);
  if (problem !== undefined) throw refuse(problem);
  return withCheckedDefault(facts, refuse);
}

/** Settings whose values are of another type than their name promises. */
function formProblem({ pattern, trim, values }: ColumnSettings): string | undefined {
  if (pattern !== undefined && !isRegExp(pattern)) {
    return `pattern is a regular expression such as /^x/, not ${show(pattern)}`;
  }
  if (trim !== undefined && typeof trim !== "boolean") {
    return `trim must be true or false, not ${show(trim)}`;
  }
  if (values === undefined || Array.isArray(values)) return undefined;
  return `t.enum() takes a list of texts such as ["open", "done"], not ${show(values)}`;
}

/** From whichever realm it comes. */
function isRegExp(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object RegExp]";
}

/** A global or sticky expression remembers where it stopped, so a second test could differ. */
function withoutPosition(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
}

function isColumn(value: unknown): value is AnyColumn {
  return typeof value === "object" && value !== null && "settings" in value;
}

function parseReference(
  table: string,
  property: string,
  { target, options }: NonNullable<ColumnSettings["references"]>,
): ReferenceFact {
  const refuse = (reason: string): Error => invalidSchema(table, property, reason);
  const what = `Entity "${table}", property "${property}": references()`;
  refuseUnknownKeys(options, REFERENCE_OPTIONS, what, "INVALID_SCHEMA");
  const { onDelete = "no action", onUpdate = "no action" } = options;
  const match = REFERENCE.exec(target);
  if (match === null) throw refuse(`references("${target}") must be "table.column", by SQL names`);
  const problem = actionProblem(onDelete) ?? actionProblem(onUpdate);
  if (problem !== undefined) throw refuse(problem);
  return { table: match[1] ?? "", column: match[2] ?? "", onDelete, onUpdate };
}

/** Why this is not an action of a foreign key, or undefined when it is. */
export function actionProblem(action: ReferentialAction): string | undefined {
  if (ACTIONS.includes(action)) return undefined;
  return `"${action}" is not an action of a foreign key; the actions are ${ACTIONS.join(", ")}`;
}

/** Why columns cannot have these actions, or undefined. */
export function actionOnColumnProblem(
  column: ColumnFacts,
  actions: readonly ReferentialAction[],
): string | undefined {
  if (actions.includes("set null") && !column.nullable) {
    return `"set null" needs nullable() on "${column.property}"`;
  }
  if (actions.includes("set default") && column.default?.from !== "value" && !column.nullable) {
    return `"set default" needs default() or nullable() on "${column.property}"`;
  }
  return undefined;
}

function columnProblem(facts: ColumnFacts): string | undefined {
  return (
    nameProblem(facts.name) ??
    rowidProblem(facts.name) ??
    kindProblem(facts) ??
    limitProblem(facts) ??
    enumProblem(facts) ??
    keyProblem(facts) ??
    (facts.references === undefined
      ? undefined
      : actionOnColumnProblem(facts, [facts.references.onDelete, facts.references.onUpdate]))
  );
}

/** SQLite's own number of a row, by which search finds it. */
function rowidProblem(name: string): string | undefined {
  if (lowerAscii(name) !== "rowid") return undefined;
  return 'SQLite has its own column "rowid"; give another name by column()';
}

function kindProblem(facts: ColumnFacts): string | undefined {
  for (const [setting, kinds] of Object.entries(KINDS_OF_SETTING)) {
    if (facts[setting as keyof ColumnFacts] === undefined || kinds.includes(facts.kind)) continue;
    return `${setting} is for ${kinds.join(", ")}, not for ${facts.kind}`;
  }
  if (facts.onUpdateNow && !KINDS_OF_NOW.includes(facts.kind)) {
    return `onUpdateNow() is for ${KINDS_OF_NOW.join(" and ")}, not for ${facts.kind}`;
  }
  if (facts.default?.from === "now" && !KINDS_OF_NOW.includes(facts.kind)) {
    return `defaultNow() is for ${KINDS_OF_NOW.join(" and ")}, not for ${facts.kind}`;
  }
  if (facts.default?.from === "random" && facts.kind !== "uuid") {
    return `defaultRandom() is for uuid, not for ${facts.kind}`;
  }
  if (facts.refine !== undefined && facts.refine["~standard"]?.version !== 1) {
    return "refine() takes a Standard Schema (version 1), such as those of Zod and Valibot";
  }
  return undefined;
}

function limitProblem(facts: ColumnFacts): string | undefined {
  const { min, max, minLength, maxLength, kind } = facts;
  for (const limit of [min, max]) {
    if (limit === undefined || (kind === "real" && Number.isFinite(limit))) continue;
    if (!Number.isSafeInteger(limit)) return `the limit ${limit} is not a number of its kind`;
  }
  for (const limit of [minLength, maxLength]) {
    if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 0)) continue;
    return `the length ${limit} is not a whole number from 0`;
  }
  if (min !== undefined && max !== undefined && min > max) {
    return `min ${min} is greater than max ${max}, so no value is allowed`;
  }
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    return `minLength ${minLength} is greater than maxLength ${maxLength}, so no text is allowed`;
  }
  return undefined;
}

function enumProblem({ kind, values = [] }: ColumnFacts): string | undefined {
  if (kind !== "enum") return undefined;
  if (values.length === 0) return "an enum needs at least one value";
  const odd = values.find((value) => typeof value !== "string" || !isStorableText(value));
  if (odd !== undefined) return `the value ${JSON.stringify(odd)} of the enum is not a plain text`;
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? undefined : `the enum has the value "${twice}" twice`;
}

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function keyProblem(facts: ColumnFacts): string | undefined {
  if (!facts.primaryKey) return undefined;
  if (facts.nullable) return "a primary key cannot be nullable";
  if (KINDS_NOT_KEY.includes(facts.kind)) return `a ${facts.kind} cannot be a primary key`;
  return undefined;
}

function withCheckedDefault(facts: ColumnFacts, refuse: (reason: string) => Error): ColumnFacts {
  if (facts.default?.from !== "value") return facts;
  const given = facts.default.value;
  if (given === null || given === undefined) {
    throw refuse(`default(${given}) is not a value; NULL is the default of a nullable column`);
  }
  const value = checkFixed(facts, given, (reason) => refuse(`the default ${reason}`));
  return { ...facts, default: { from: "value", value } };
}

/**
 * A value that stands in the declaration, as it is stored: checked like any value. A `refine` that
 * answers later is asked at each insert instead.
 */
export function checkFixed(
  facts: ColumnFacts,
  given: unknown,
  refuse: (reason: string) => Error,
): unknown {
  const check = (value: unknown): unknown => {
    const problems: string[] = [];
    const stored = compileCheck(facts)(value, (message) => problems.push(message));
    if (problems.length > 0) throw refuse(problems.join(" and "));
    return stored;
  };
  const value = check(given);
  const refined = facts.refine?.["~standard"].validate(value);
  if (refined === undefined) return value;
  if (refined instanceof Promise) {
    refined.catch(() => undefined);
    return value;
  }
  if (refined.issues === undefined) return check(refined.value);
  throw refuse(`breaks refine(): ${refined.issues.map(({ message }) => message).join("; ")}`);
}
