/** `importFiles`: JSON and CSV into tables of a database, whole or not at all. */

import { assertFunction } from "../../core/arguments.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { createCatalog } from "../../schema/catalog.ts";
import { createStatements } from "../../schema/ddl.ts";
import { declaredSchema } from "../schema.ts";
import { EntityEncoder } from "./encode.ts";
import {
  type ImportMapping,
  type ImportOptions,
  type ImportReport,
  type ImportTables,
  type ResolvedSettings,
  resolveSettings,
} from "./options.ts";
import { cutFiles, type GivenRows, ImportRun, type ReadableFile, type RunMapping } from "./run.ts";
import { sourceFiles } from "./source.ts";
import { ImportThread } from "./thread.ts";

/** The names of what a mapping has. */
const MAPPING: readonly string[] = ["tables", "map", "finish", "keys", "catalog", "statements"];

/**
 * Imports files into a database. A target that is not there is built beside its place, checked and
 * renamed; into one that is there all rows are taken over in one transaction, and those whose key
 * is there already are updated. Items whose rows conflict with others of the target, or refer to
 * nothing, are rejects. When it fails, the target is as it was before.
 *
 * @throws `VALIDATION` for a file that cannot be read on, with its line, and for too many rejects;
 *   `CONSTRAINT` when the target refuses what is no row of an item; `ABORTED`.
 * @example
 * const report = await importFiles({
 *   target: "jira.db",
 *   sources: "issues.jsonl",
 *   tables: { issues: Issue, changes: Change },
 *   map({ value }) {
 *     const issue = value as JiraIssue;
 *     return { issues: { key: issue.key, … }, changes: issue.changelog.map(…) };
 *   },
 * });
 */
export async function importFiles<const Tables extends ImportTables>(
  options: ImportOptions<Tables>,
): Promise<ImportReport> {
  const settings = resolveSettings(options, MAPPING);
  return runImport(settings, () => mappingOf(options));
}

/**
 * Types a mapping and returns it as it is, for a module that `springhouse import --map` loads.
 *
 * @example export default defineImport({ tables: { issues: Issue }, map: ({ value }) => … });
 */
export function defineImport<const Tables extends ImportTables>(
  mapping: ImportMapping<Tables>,
): ImportMapping<Tables> {
  return mapping;
}

/** Runs an import whose mapping may depend on the thread that can look into the target. */
export async function runImport(
  settings: ResolvedSettings,
  makeMapping: (
    thread: ImportThread,
    files: readonly ReadableFile[],
  ) => RunMapping | Promise<RunMapping>,
): Promise<ImportReport> {
  const { target, backupDirectory } = settings;
  const isOurs = (path: string): boolean =>
    path.startsWith(target) || (backupDirectory !== undefined && path.startsWith(backupDirectory));
  const files = await cutFiles(sourceFiles(settings.sources, isOurs));
  await using thread = new ImportThread(target);
  const mapping = await makeMapping(thread, files);
  return await new ImportRun(settings, mapping, files, thread).run();
}

function mappingOf<Tables extends ImportTables>({
  tables,
  map,
  finish,
  keys = {},
  catalog,
  statements = [],
}: ImportMapping<Tables>): RunMapping {
  assertFunction("importFiles: map", map);
  if (Object.keys(tables).length === 0) {
    const message = "importFiles: tables is empty. Name the entities: { issues: Issue }.";
    throw new SpringhouseError("INVALID_ARGUMENT", message);
  }
  const schema = declaredSchema(catalog ?? createCatalog(Object.values(tables)), "sqlite");
  return {
    encoder: new EntityEncoder(tables, keys),
    map: map as (item: Parameters<typeof map>[0]) => GivenRows | undefined,
    finish: finish as (() => GivenRows) | undefined,
    statements: [...createStatements(schema), ...statements],
    text: `${map}${finish ?? ""}`,
  };
}
