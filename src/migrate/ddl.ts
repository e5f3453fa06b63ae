/** The SQL of a whole schema, for those who create it by themselves. */

import { SpringhouseError } from "../core/errors.ts";
import { createCatalog } from "../schema/catalog.ts";
import { createStatements } from "../schema/ddl.ts";
import type { Dialect } from "../schema/physical.ts";
import type { Entity } from "../schema/types.ts";
import { declaredSchema } from "./schema.ts";

const DIALECTS: readonly Dialect[] = ["sqlite", "postgres"];

/**
 * The statements that create the tables, indexes and triggers of entities, and of rollups of them,
 * in an empty database, in this order and without semicolons. Statements may have semicolons
 * inside, so run them one by one.
 *
 * @throws `INVALID_SCHEMA` when the entities do not fit together; `INVALID_ARGUMENT` for what is no
 *   list of entities, and for another dialect.
 * @example for (const statement of ddl([Week, Task], "postgres")) await client.query(statement);
 */
export function ddl(
  entities: readonly Entity[],
  dialect: Dialect,
  rollups: readonly Entity[] = [],
): readonly string[] {
  const catalog = createCatalog(entities, rollups);
  if (DIALECTS.includes(dialect)) return createStatements(declaredSchema(catalog, dialect));
  const message = `ddl: the dialect is "sqlite" or "postgres", not ${JSON.stringify(dialect)}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { dialect } });
}
