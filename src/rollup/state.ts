/**
 * Whether rollups are kept: every table, trigger and view of theirs has the text that it was made
 * with, nobody else's trigger gets between, and none is marked. A mark stands while a rollup is
 * made anew; its view then reads the source, so what it gives is right all the time.
 */

import { type SourceParts, sourcesOf } from "../capture/rollup.ts";
import { ROLLUP_MARKS, type RollupPlan } from "../capture/rollup-plan.ts";
import { SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import type { Session } from "../store/store.ts";

/** One rollup, as it is kept. */
export interface RollupState {
  readonly name: string;
  readonly source: string;
  /**
   * `"kept"`: exact and fast. `"rebuilding"`: exact, read from the source until `rebuild` is done.
   * `"broken"`: writes pass it by, see `problems`; what it gives may be wrong.
   */
  readonly state: "kept" | "rebuilding" | "broken";
  /** What is missing, altered or in the way. */
  readonly problems: readonly string[];
}

/** What stands in `sqlite_schema`, by kind and name, the oldest first. */
export type SchemaTexts = ReadonlyMap<string, SchemaEntry>;

/** One object of the file. */
export interface SchemaEntry {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** How every rollup of the catalog is kept. */
export async function rollupStates(
  session: Session,
  catalog: Catalog,
): Promise<readonly RollupState[]> {
  const texts = await readTexts(session);
  const marked = await readMarks(session, texts);
  return sourcesOf(catalog).flatMap((parts) => {
    const common = [
      ...wrongObjects(texts, parts.shared).map(problemOf(texts)),
      ...intruders(texts, parts),
    ];
    return parts.rollups.map(({ plan, objects }): RollupState => {
      const own = wrongObjects(texts, objects).map(problemOf(texts));
      const problems = [...common, ...own];
      const { table: name } = plan.facts;
      const state = problems.length > 0 ? "broken" : marked.has(name) ? "rebuilding" : "kept";
      return { name, source: plan.source.table, state, problems };
    });
  });
}

/** The texts of the whole schema. */
export async function readTexts(session: Session): Promise<SchemaTexts> {
  const sql = `SELECT type, name, tbl_name, sql FROM sqlite_schema
    WHERE sql IS NOT NULL ORDER BY rowid`;
  const { rows } = await session.read({ sql, parameters: [] });
  return new Map(
    rows.map((row) => {
      const [kind = "", name = "", table = "", text = ""] = row.map(String);
      return [keyOf(kind, name), { kind, name, table, sql: text }];
    }),
  );
}

/** Objects that are not there as they should be. */
export function wrongObjects(
  texts: SchemaTexts,
  objects: readonly PhysicalObject[],
): readonly PhysicalObject[] {
  return objects.filter(({ kind, name, sql }) => texts.get(keyOf(kind, name))?.sql !== sql);
}

/**
 * The rollup of this name.
 *
 * @throws `INVALID_ARGUMENT` naming the nearest one.
 */
export function findRollup(catalog: Catalog, name: string): RollupPlan {
  const plans = sourcesOf(catalog).flatMap(({ rollups }) => rollups.map(({ plan }) => plan));
  const found = plans.find(({ facts }) => facts.table === name);
  if (found !== undefined) return found;
  const known = plans.map(({ facts }) => facts.table);
  const near = nearest(name, known);
  const hint = near === undefined ? `There are: ${known.join(", ")}.` : `Did you mean "${near}"?`;
  throw new SpringhouseError("INVALID_ARGUMENT", `There is no rollup "${name}". ${hint}`, {
    fields: { name, known },
  });
}

function keyOf(kind: string, name: string): string {
  return `${kind} ${name.toLowerCase()}`;
}

function problemOf(texts: SchemaTexts): (object: PhysicalObject) => string {
  return ({ kind, name }) =>
    `${kind} ${name} is ${texts.has(keyOf(kind, name)) ? "not as it was made" : "missing"}`;
}

async function readMarks(session: Session, texts: SchemaTexts): Promise<ReadonlySet<string>> {
  if (!texts.has(keyOf("table", ROLLUP_MARKS))) return new Set();
  const { rows } = await session.read({
    sql: `SELECT "name" FROM ${ROLLUP_MARKS}`,
    parameters: [],
  });
  return new Set(rows.map(([name]) => String(name)));
}

/** Triggers of somebody else that replaced rows are lost by. */
function intruders(texts: SchemaTexts, parts: SourceParts): readonly string[] {
  const { table } = parts.source;
  const before = foreignTriggers(texts, parts).filter(({ sql }) => {
    const body = bodyOf(sql, "before");
    return body?.includes(table.toLowerCase()) === true && WRITES.test(body);
  });
  return [
    ...before.map(({ name }) => `trigger ${name} writes ${table} before a row of it is written`),
    ...newerTriggers(texts, parts).map(
      ({ name }) => `trigger ${name} writes, and is newer than those of rollups`,
    ),
  ];
}

/**
 * Triggers of somebody else that write after a row of the source is written, and fire before ours,
 * as the newest does: when they come to write the source themselves, the notes on rows that the
 * first write has replaced are dropped. Ours only have to be made again.
 */
export function newerTriggers(texts: SchemaTexts, parts: SourceParts): readonly SchemaEntry[] {
  const order = [...texts.values()];
  const ours = parts.shared.filter(({ kind }) => kind === "trigger");
  const oldest = order.findIndex(({ kind, name }) =>
    ours.some((object) => keyOf(kind, name) === keyOf(object.kind, object.name)),
  );
  return foreignTriggers(texts, parts).filter((entry) => {
    return order.indexOf(entry) > oldest && WRITES.test(bodyOf(entry.sql, "after") ?? "");
  });
}

function foreignTriggers(texts: SchemaTexts, { source }: SourceParts): readonly SchemaEntry[] {
  const table = source.table.toLowerCase();
  return [...texts.values()].filter(
    (entry) =>
      entry.kind === "trigger" &&
      entry.table.toLowerCase() === table &&
      !/^springhouse_/i.test(entry.name),
  );
}

/** What a trigger does, in lower case; undefined when it fires at another time. */
function bodyOf(sql: string, time: "before" | "after"): string | undefined {
  const { given = "before", body = "" } = PARTS.exec(sql)?.groups ?? {};
  return given.toLowerCase() === time ? body.toLowerCase() : undefined;
}

/** A trigger that does not say when it fires does so before. */
const PARTS = new RegExp(
  "^create\\s+trigger\\s.*?(?:\\b(?<given>before|after)\\s+)?(?:insert|update|delete)\\b" +
    ".*?\\bbegin\\b(?<body>.*)",
  "is",
);
const WRITES = /\b(?:insert|replace|update|delete)\b/;
