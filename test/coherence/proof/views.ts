/** Questions for all there is in a table or a view, and views that become others. */

import type { Choices } from "../../../src/testing/coherence/choices.ts";
import { quoted } from "../../../src/testing/coherence/literals.ts";
import type { ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import { randomDdl } from "../../../src/testing/coherence/random-ddl.ts";
import { randomSchema, randomView } from "../../../src/testing/coherence/random-schema.ts";
import type { CoherenceQuery } from "../../../src/testing/coherence/subject.ts";

const VIEWS = ["w0", "w1", "w2"];

/** Tables, and some views at any rate. */
export function schemaWithViews(choices: Choices): readonly string[] {
  const schema = randomSchema(choices).filter((sql) => !sql.startsWith("CREATE VIEW"));
  return [...schema, ...VIEWS.map((name) => randomView(choices, name, "t0", ["t0", "t1"]))];
}

/** Another view under a name that is asked for: the text of the question stays the same. */
export function otherView(choices: Choices, all: readonly ProofTable[]): readonly string[] {
  const names = all.filter(({ kind }) => kind === "table").map(({ name }) => name);
  if (names.length === 0 || choices.chance(0.3)) return randomDdl(choices, all);
  const name = choices.one(VIEWS);
  const made = randomView(choices, name, choices.one(names), names);
  return [`DROP VIEW IF EXISTS ${name}`, made];
}

/** Whatever is written there changes the answer. */
export function wholeQuery(choices: Choices, all: readonly ProofTable[]): CoherenceQuery {
  const views = all.filter(({ kind }) => kind === "view");
  const { name } = choices.one(views.length > 0 && choices.chance(0.6) ? views : all);
  return { sql: `SELECT * FROM ${quoted(name)}`, parameters: [] };
}
