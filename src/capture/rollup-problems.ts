/**
 * What is wrong with the rollups of a file: objects that are missing or altered, and triggers of
 * somebody else that get between. Told from the texts in `sqlite_schema`.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import type { SourceParts } from "./rollup.ts";
import type { RollupPlan } from "./rollup-plan.ts";

/** What stands in `sqlite_schema`, by kind and name, the oldest first. */
export type SchemaTexts = ReadonlyMap<string, SchemaEntry>;

/** One object of the file. */
export interface SchemaEntry {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** What is read for `schemaTexts`. */
export const SELECT_TEXTS = `SELECT type, name, tbl_name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL ORDER BY rowid`;

/** The texts of the whole schema. */
export function schemaTexts(rows: readonly (readonly unknown[])[]): SchemaTexts {
  return new Map(
    rows.map((row) => {
      const [kind = "", name = "", table = "", text = ""] = row.map(String);
      return [keyOf(kind, name), { kind, name, table, sql: text }];
    }),
  );
}

/** The problems of each rollup of a source, in sentences. */
export function rollupProblems(
  texts: SchemaTexts,
  parts: SourceParts,
): readonly { readonly plan: RollupPlan; readonly problems: readonly string[] }[] {
  const common = [
    ...wrongObjects(texts, parts.shared).map(problemOf(texts)),
    ...intruders(texts, parts),
  ];
  return parts.rollups.map(({ plan, objects }) => ({
    plan,
    problems: [...common, ...wrongObjects(texts, objects).map(problemOf(texts))],
  }));
}

/** Objects that are not there as they should be. */
export function wrongObjects(
  texts: SchemaTexts,
  objects: readonly PhysicalObject[],
): readonly PhysicalObject[] {
  return objects.filter(({ kind, name, sql }) => texts.get(keyOf(kind, name))?.sql !== sql);
}

/** Whether there is something of this kind and name. */
export function has(texts: SchemaTexts, kind: string, name: string): boolean {
  return texts.has(keyOf(kind, name));
}

function keyOf(kind: string, name: string): string {
  return `${kind} ${lowerAscii(name)}`;
}

function problemOf(texts: SchemaTexts): (object: PhysicalObject) => string {
  return ({ kind, name }) =>
    `${kind} ${name} is ${texts.has(keyOf(kind, name)) ? "not as it was made" : "missing"}`;
}

/** Triggers of somebody else that replaced rows are lost by. */
function intruders(texts: SchemaTexts, parts: SourceParts): readonly string[] {
  const { table } = parts.source;
  return [
    ...earlierTriggers(texts, parts).map(
      ({ name }) => `trigger ${name} writes ${table} before a row of it is written`,
    ),
    ...newerTriggers(texts, parts).map(
      ({ name }) => `trigger ${name} writes, and is newer than those of rollups`,
    ),
  ];
}

/** Those that write the source before a row of it is written: nothing helps against them. */
export function earlierTriggers(texts: SchemaTexts, parts: SourceParts): readonly SchemaEntry[] {
  const table = lowerAscii(parts.source.table);
  return foreignTriggers(texts, parts).filter(({ sql }) => {
    const body = bodyOf(sql, "before");
    return body?.includes(table) === true && WRITES.test(body);
  });
}

/**
 * Triggers of somebody else that do something after a row of the source is written, and fire before
 * ours, as the newest does. When they write the row that was just written, its change is counted
 * before it is; when they come to write the source at all, the notes on rows that the first write
 * has replaced are dropped; when they say RAISE, ours may never come. Ours have to be made again.
 */
export function newerTriggers(texts: SchemaTexts, parts: SourceParts): readonly SchemaEntry[] {
  const order = [...texts.values()];
  const ours = new Set(sourceTriggers(parts).map(({ kind, name }) => keyOf(kind, name)));
  const oldest = order.findIndex(({ kind, name }) => ours.has(keyOf(kind, name)));
  return foreignTriggers(texts, parts).filter((entry) => {
    return order.indexOf(entry) > oldest && ACTS.test(bodyOf(entry.sql, "after") ?? "");
  });
}

/** Ours on the source itself. */
export function sourceTriggers({
  source,
  shared,
  rollups,
}: SourceParts): readonly PhysicalObject[] {
  const all = [...shared, ...rollups.flatMap(({ objects }) => objects)];
  return all.filter(({ kind, table }) => kind === "trigger" && table === source.table);
}

function foreignTriggers(texts: SchemaTexts, { source }: SourceParts): readonly SchemaEntry[] {
  const table = lowerAscii(source.table);
  return [...texts.values()].filter(
    (entry) =>
      entry.kind === "trigger" &&
      lowerAscii(entry.table) === table &&
      !/^springhouse_/i.test(entry.name),
  );
}

/** What a trigger does, in lower case; undefined when it fires at another time. */
function bodyOf(sql: string, time: "before" | "after"): string | undefined {
  const { given = "before", body = "" } = PARTS.exec(sql)?.groups ?? {};
  return lowerAscii(given) === time ? lowerAscii(body) : undefined;
}

/** A trigger that does not say when it fires does so before. */
const PARTS = new RegExp(
  "^create\\s+trigger\\s.*?(?:\\b(?<given>before|after)\\s+)?(?:insert|update|delete)\\b" +
    ".*?\\bbegin\\b(?<body>.*)",
  "is",
);
const WRITES = /\b(?:insert|replace|update|delete)\b/;
const ACTS = /\b(?:insert|replace|update|delete|raise)\b/;
