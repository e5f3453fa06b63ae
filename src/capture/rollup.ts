/**
 * What rollups need in a database beside the entities: tables of counters, triggers on the sources,
 * indexes of the sources, and the views by which they are read.
 */

import { assert } from "../core/assert.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { EntityFacts } from "../schema/facts.ts";
import type { Dialect, PhysicalIndex, PhysicalObject, PhysicalSchema } from "../schema/physical.ts";
import { invalidSchema } from "../schema/refuse.ts";
import { rollupIndexes } from "./rollup-indexes.ts";
import { filledTables, fillSql, planRollup, ROLLUP_MARKS, type RollupPlan } from "./rollup-plan.ts";
import { notesTableName, replacedRows, rollupTriggers } from "./rollup-sqlite.ts";
import { rollupView } from "./rollup-view.ts";

/** What the rollups of one catalog need. */
export interface RollupParts {
  readonly indexes: readonly PhysicalIndex[];
  readonly objects: readonly PhysicalObject[];
}

/** Which rollups are being made anew, and after which key that goes on. */
const MARKS: PhysicalObject = {
  kind: "table",
  name: ROLLUP_MARKS,
  sql:
    `CREATE TABLE "${ROLLUP_MARKS}" (\n` +
    '  "name" TEXT PRIMARY KEY,\n  "cursor" TEXT\n) WITHOUT ROWID',
};

/**
 * Tables, indexes, triggers and views of all rollups; nothing when there are none.
 *
 * @throws `INVALID_SCHEMA` on PostgreSQL.
 */
export function rollupParts(catalog: Catalog, dialect: Dialect): RollupParts {
  const { rollups } = catalog;
  if (rollups.length === 0) return { indexes: [], objects: [] };
  const plans = rollups.flatMap((facts) => planOf(facts) ?? []);
  const [first] = rollups;
  if (dialect !== "sqlite" && first !== undefined) {
    throw invalidSchema(first.table, undefined, "rollups are kept on SQLite only");
  }
  const { indexes, objects } = rollupIndexes(plans);
  const bySource = Map.groupBy(plans, ({ source }) => source);
  const perSource = [...bySource.values()].map((group) => sourceParts(group, catalog));
  return {
    indexes,
    objects: [
      MARKS,
      ...objects,
      ...perSource.flatMap(({ shared }) => shared),
      ...perSource.flatMap(({ rollups }) => rollups.flatMap((entry) => entry.objects)),
    ],
  };
}

/** The rollups of one source: what they share, and what each has by itself. */
export interface SourceParts {
  readonly source: EntityFacts;
  readonly shared: readonly PhysicalObject[];
  readonly rollups: readonly {
    readonly plan: RollupPlan;
    readonly objects: readonly PhysicalObject[];
  }[];
}

/** The objects that keep rollups on SQLite, source by source. */
export function sourcesOf(catalog: Catalog): readonly SourceParts[] {
  const plans = catalog.rollups.flatMap((facts) => planOf(facts) ?? []);
  return [...Map.groupBy(plans, ({ source }) => source).values()].map((group) => {
    const parts = sourceParts(group, catalog);
    return { ...parts, shared: [MARKS, ...parts.shared] };
  });
}

function sourceParts(plans: readonly RollupPlan[], catalog: Catalog): SourceParts {
  const [first] = plans;
  assert(first !== undefined, "a group has a member");
  return {
    source: first.source,
    shared: replacedRows(first.source, plans, refersToItself(first.source, catalog)),
    rollups: plans.map((plan) => ({ plan, objects: rollupObjects(plan) })),
  };
}

/** Whether foreign keys lead from the table back to it. */
function refersToItself({ table, foreignKeys }: EntityFacts, { byTable }: Catalog): boolean {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const key of byTable.get(name)?.foreignKeys ?? []) visit(key.table);
  };
  for (const key of foreignKeys) visit(key.table);
  return found.has(table);
}

/** A schema with what the rollups need. */
export function withRollups(schema: PhysicalSchema, catalog: Catalog): PhysicalSchema {
  const { indexes, objects } = rollupParts(catalog, schema.dialect);
  return {
    ...schema,
    indexes: [...schema.indexes, ...indexes],
    objects: [...schema.objects, ...objects],
  };
}

/** The plan of a rollup; undefined for an entity that is none. */
function planOf(facts: EntityFacts): RollupPlan | undefined {
  return facts.rollup === undefined ? undefined : planRollup(facts, facts.rollup);
}

/** Tables, triggers and view of one rollup. */
function rollupObjects(plan: RollupPlan): readonly PhysicalObject[] {
  const tables = filledTables(plan).map(
    (table): PhysicalObject => ({
      kind: "table",
      name: table.name,
      table: plan.source.table,
      sql: table.sql,
      fill: fillSql(table),
    }),
  );
  return [...tables, ...rollupTriggers(plan), rollupView(plan)];
}

/**
 * From every name under which rollups are read, or kept, to the table that their rows follow from:
 * whoever reads the one has read the other. Names are in lower case.
 */
export function rollupSources({ rollups }: Catalog): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const facts of rollups) {
    const plan = planOf(facts);
    if (plan === undefined) continue;
    const names = [facts.table, ...filledTables(plan).map(({ name }) => name)];
    for (const name of [...names, notesTableName(plan.source.table)]) {
      sources.set(lowerAscii(name), lowerAscii(plan.source.table));
    }
  }
  return sources;
}
