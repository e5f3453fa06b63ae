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

/** What stands in `sqlite_schema`, by kind and name. */
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
  const sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
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

/**
 * Triggers of somebody else that write the source before a row of it is written: then the notes on
 * replaced rows are taken of rows that are not there any more.
 */
function intruders(texts: SchemaTexts, { source }: SourceParts): readonly string[] {
  const table = source.table.toLowerCase();
  return [...texts.values()].flatMap((entry) => {
    if (entry.kind !== "trigger" || entry.table.toLowerCase() !== table) return [];
    if (/^springhouse_/i.test(entry.name)) return [];
    const body = BEFORE_BODY.exec(entry.sql)?.[1]?.toLowerCase();
    if (body === undefined || !body.includes(table) || !WRITES.test(body)) return [];
    return [`trigger ${entry.name} writes ${source.table} before a row of it is written`];
  });
}

const BEFORE_BODY = /\bbefore\b.*?\bbegin\b(.*)/is;
const WRITES = /\b(?:insert|replace|update|delete)\b/;
