/** A schema of weeks and tasks, for queries that are written out. */

import type { Kysely } from "kysely";
import type { Affinity, SchemaStructure, TableStructure } from "../../../src/change/structure.ts";
import { footprintOfNode } from "../../../src/footprint/kysely.ts";
import { kysely } from "./builder.ts";
import { show } from "./show.ts";

export interface WeekTables {
  weeks: { id: number; label: string };
  tasks: {
    id: number;
    week_id: number;
    title: string;
    tag: string;
    score: number;
    data: string;
    parent: number;
  };
  old_weeks: { id: number; label: string };
  missing: { id: number };
}

/** A builder that knows the tables; it runs nothing. */
export const db: Kysely<WeekTables> = kysely as unknown as Kysely<WeekTables>;

const TABLES: readonly TableStructure[] = [
  table("weeks", { id: "integer", label: "text" }),
  table("old_weeks", { id: "integer", label: "text" }),
  table("tasks", {
    id: "integer",
    week_id: "integer",
    title: "text",
    tag: "text nocase",
    score: "real",
    data: "blob",
    parent: "integer",
  }),
];

export const schema: SchemaStructure = {
  table: (name) => TABLES.find((one) => one.name === name),
};

function table(name: string, columns: Readonly<Record<string, string>>): TableStructure {
  return {
    name,
    capture: "rows",
    columns: Object.entries(columns).map(([column, type]) => {
      const [affinity, collation] = type.split(" ");
      return {
        name: column,
        affinity: affinity as Affinity,
        collation: collation ?? "binary",
      };
    }),
  };
}

/** A query of the builder. */
interface Compilable {
  compile(): { readonly query: Parameters<typeof footprintOfNode>[0] };
}

export function atomsOf(query: Compilable): string[] {
  return show(footprintOfNode(query.compile().query, schema));
}
