/**
 * The schema when a database is opened: an empty one gets what is declared, any other is compared.
 * Nothing that exists is ever altered here; that takes a migration and somebody who runs it.
 *
 * Opening must be fast, so the result of a comparison is kept as a fingerprint: a hash of what is
 * declared, together with SQLite's own count of schema changes. While both are the same, two reads
 * of one value are all there is; both are of the kind that needs no thread. With a folder of
 * migrations its list of names is the third part, since a migration need not change the schema.
 */

import { withAudit } from "../capture/audit.ts";
import { withRollups } from "../capture/rollup.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { hashText } from "../core/hash.ts";
import type { Catalog } from "../schema/catalog.ts";
import { physicalSchema } from "../schema/ddl.ts";
import type { Dialect, PhysicalSchema } from "../schema/physical.ts";
import type { Store } from "../store/store.ts";
import { type MigrationsFolder, readFolder } from "./folder.ts";
import { FINGERPRINT_KEY, fingerprint } from "./meta.ts";

/**
 * `"create"` makes the schema in an empty database and checks any other; `"check"` only checks;
 * `"ignore"` does nothing.
 */
export type SchemaMode = "create" | "check" | "ignore";

/** For `ensureSchema`. */
export interface EnsureSchemaOptions {
  /**
   * Folder of migrations. A database that is made from the declaration counts as having had all of
   * them; one that has had others is newer than this code. Default: none.
   */
  readonly migrationsDirectory?: string;
}

const SCHEMA_VERSION = "PRAGMA schema_version";
const NOTED = `SELECT value FROM springhouse_meta WHERE key = '${FINGERPRINT_KEY}'`;

/**
 * Makes sure that the database has the declared schema.
 *
 * @throws `SCHEMA_MISMATCH` listing the differences, `SCHEMA_NEWER` when the database has had
 *   migrations that the folder does not have or that came after this declaration,
 *   `MIGRATION_INVALID` when the folder does not exist.
 * @example await ensureSchema(store, createCatalog([Week, Task]), "create");
 */
export async function ensureSchema(
  store: Store,
  catalog: Catalog,
  mode: SchemaMode,
  { migrationsDirectory }: EnsureSchemaOptions = {},
): Promise<void> {
  if (mode === "ignore") return;
  const folder =
    migrationsDirectory === undefined ? undefined : await readFolder(migrationsDirectory);
  const desired = declaredSchema(catalog, store.dialect);
  const declared = hashOf(desired);
  if (await isKnown(store, declared, folder)) return;
  // Most openings end here; the comparison is loaded by those that need it.
  const { createOrCompare } = await import("./compare.ts");
  await createOrCompare(store, mode, { desired, declared, folder });
}

/** Everything that a database of this catalog holds. */
export function declaredSchema(catalog: Catalog, dialect: Dialect): PhysicalSchema {
  return withRollups(withAudit(physicalSchema(catalog, dialect), catalog), catalog);
}

/** A short text that is equal for equal schemas. */
export function hashOf(schema: PhysicalSchema): string {
  return hashText(JSON.stringify(schema));
}

async function isKnown(
  store: Store,
  declared: string,
  folder: MigrationsFolder | undefined,
): Promise<boolean> {
  try {
    const version = await store.read({ sql: SCHEMA_VERSION, parameters: [] });
    const { rows } = await store.read({ sql: NOTED, parameters: [] });
    const expected = fingerprint(declared, Number(version.rows[0]?.[0]), folder?.hash);
    const noted = String(rows[0]?.[0]);
    // Code that was told of no folder does not mind which one others know.
    return folder === undefined ? noted.startsWith(expected) : noted === expected;
  } catch (error) {
    // A database that Springhouse has not made has no notes.
    if (isSpringhouseError(error, "SQL")) return false;
    throw error;
  }
}
