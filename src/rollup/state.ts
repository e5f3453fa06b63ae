/**
 * Whether rollups are kept: every table, trigger and view of theirs has the text that it was made
 * with, nobody else's trigger gets between, and none is marked. A mark stands while a rollup is
 * made anew; its view then reads the source, so what it gives is right all the time.
 */

import { sourcesOf } from "../capture/rollup.ts";
import { ROLLUP_MARKS, type RollupPlan } from "../capture/rollup-plan.ts";
import {
  has,
  rollupProblems,
  type SchemaTexts,
  SELECT_TEXTS,
  schemaTexts,
} from "../capture/rollup-problems.ts";
import { SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { Session } from "../store/store.ts";

/** One rollup, as it is kept. */
export interface RollupState {
  readonly name: string;
  readonly source: string;
  /**
   * `"kept"`: exact and fast. `"rebuilding"`: exact, read from the source until `rebuild` is done.
   * `"broken"`: writes pass it by, see `problems`; it is read from the source as well, unless the
   * file is open for reading only.
   */
  readonly state: "kept" | "rebuilding" | "broken";
  /** What is missing, altered or in the way. */
  readonly problems: readonly string[];
}

/** How every rollup of the catalog is kept. */
export async function rollupStates(
  session: Session,
  catalog: Catalog,
): Promise<readonly RollupState[]> {
  const texts = await readTexts(session);
  const marked = await readMarks(session, texts);
  return sourcesOf(catalog).flatMap((parts) =>
    rollupProblems(texts, parts).map(({ plan, problems }): RollupState => {
      const { table: name } = plan.facts;
      const state = problems.length > 0 ? "broken" : marked.has(name) ? "rebuilding" : "kept";
      return { name, source: plan.source.table, state, problems };
    }),
  );
}

/** The texts of the whole schema. */
export async function readTexts(session: Session): Promise<SchemaTexts> {
  const { rows } = await session.read({ sql: SELECT_TEXTS, parameters: [] });
  return schemaTexts(rows);
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

async function readMarks(session: Session, texts: SchemaTexts): Promise<ReadonlySet<string>> {
  if (!has(texts, "table", ROLLUP_MARKS)) return new Set();
  const { rows } = await session.read({
    sql: `SELECT "name" FROM ${ROLLUP_MARKS}`,
    parameters: [],
  });
  return new Set(rows.map(([name]) => String(name)));
}
