/**
 * Writes new migrations: from the difference between file and declaration, from given steps, or
 * empty.
 *
 * The first migration of a folder, when the database has tables already, is accompanied by a
 * baseline: the schema as it stands, marked so that it is recorded rather than run where the tables
 * are there. With it the folder can make a new database from nothing.
 */

import { mkdir, open as openFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { SpringhouseError } from "../core/errors.ts";
import type { PhysicalSchema } from "../schema/physical.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import type { Session } from "../store/store.ts";
import { assess } from "./assess.ts";
import { labelOf } from "./files.ts";
import { introspect } from "./introspect.ts";
import { readLedger } from "./ledger.ts";
import { judgeStatement } from "./lint.ts";
import type { Migration } from "./migration.ts";
import type { NewMigration, NewOptions, NewStep } from "./migrator.ts";
import { describeAction } from "./operation.ts";
import { type PlanStep, planSchema, type SchemaPlan } from "./plan.ts";
import { schemaTexts } from "./snapshot.ts";

/** What a new migration is made from. */
export interface GenerateRequest extends NewOptions {
  readonly session: Session;
  readonly directory: string;
  readonly migrations: readonly Migration[];
  readonly name: string;
  readonly desired: PhysicalSchema | undefined;
}

const NAME = /^[a-z0-9][a-z0-9_]*$/;
const NAME_CHARS_MAX = 80;
/** What the list of a directive can hold. */
const PLAIN_NAME = /^[^\s,]+$/;

/**
 * Writes a numbered file, and a baseline before it where there is none.
 *
 * @throws `INVALID_ARGUMENT` for a name that cannot be one, or a difference without a catalog;
 *   `MIGRATION_OUT_OF_ORDER` while migrations are pending, for the difference would repeat them;
 *   `SCHEMA_NEWER` and `MIGRATION_CHANGED` likewise, for it would take back what others have done.
 */
export async function writeMigration(request: GenerateRequest): Promise<NewMigration> {
  const { session, directory, desired, format = "sql" } = request;
  const name = checkName(request.name);
  const { steps, from = desired === undefined ? "empty" : "difference" } = request;
  const assessment = assess(await readLedger(session), request.migrations);
  let version = nextVersion(assessment.version, request.migrations);
  const files: { version: number; name: string; text: string; extension: string }[] = [];
  let plan = steps && planOf(steps);
  if (plan === undefined && from === "difference") {
    if (desired === undefined) throw refuse("a difference needs a declared schema: give `catalog`");
    const [problem] = assessment.problems;
    if (problem !== undefined) throw problem;
    if (assessment.pending.length > 0) throw pendingError(assessment.pending);
    const current = await introspect(session);
    if (request.migrations.length === 0 && current.tables.length > 0) {
      const baseline = Math.max(assessment.version, 1);
      const text = await renderBaseline(session);
      files.push({ version: baseline, name: "baseline", text, extension: "sql" });
      version = baseline + 1;
    }
    plan = planSchema(current, desired, { renames: request.renames ?? [] });
  }
  const text = format === "sql" ? renderSql(plan) : renderCode(plan);
  files.push({ version, name, text, extension: format });
  const paths = files.map((file) => join(directory, `${labelOf(file)}.${file.extension}`));
  await writeAll(
    directory,
    files.map((file, index) => ({ path: paths[index] ?? directory, text: file.text })),
  );
  return {
    version,
    name,
    path: paths.at(-1) ?? directory,
    paths,
    changes: steps?.map(({ summary }) => summary) ?? plan?.operations.map(describeAction) ?? [],
    hints: [...(plan?.hints ?? []), ...(plan?.undeclared ?? [])],
  };
}

/** Steps that somebody else has planned; the way back goes backwards. */
function planOf(steps: readonly NewStep[]): SchemaPlan {
  const stepOf = (summary: string, sql: string): PlanStep => ({
    summary,
    sql: [sql],
    destructive: judgeStatement(sql).destructive,
    rewritesTable: false,
    irreversible: false,
  });
  return {
    operations: [],
    steps: steps.map(({ summary, up }) => stepOf(summary, up)),
    inverse: steps.toReversed().map(({ summary, down }) => stepOf(`Back: ${summary}`, down)),
    foreignKeys: "on",
    hints: [],
    undeclared: [],
  };
}

interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** All of the files or none: half a migration would be applied like a whole one. */
async function writeAll(directory: string, files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    await mkdir(directory, { recursive: true });
    for (const { path, text } of files) {
      await using file = await openFile(path, "wx");
      made.push(path);
      await file.writeFile(text);
    }
  } catch (error) {
    await Promise.all(made.map((path) => rm(path, { force: true })));
    throw toSpringhouseError(error, { path: directory });
  }
}

function checkName(given: string): string {
  const name = given
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, "_");
  if (NAME.test(name) && name.length <= NAME_CHARS_MAX) return name;
  const form = `letters, digits and underscores, at most ${NAME_CHARS_MAX}`;
  throw refuse(`"${given}" cannot be the name of a migration; use ${form}`);
}

function nextVersion(applied: number, migrations: readonly Migration[]): number {
  return Math.max(applied, migrations.at(-1)?.version ?? 0) + 1;
}

/** Everything that stands in the file, in the words in which it was made. */
async function renderBaseline(session: Session): Promise<string> {
  const texts = await schemaTexts(session);
  const lines = ["-- springhouse: baseline", "-- springhouse: irreversible", "-- up", ""];
  return [...lines, ...texts.map(({ sql }) => `${sql};`), ""].join("\n");
}

function renderSql(plan: SchemaPlan | undefined): string {
  const lines: string[] = [];
  if (plan?.foreignKeys === "off") lines.push("-- springhouse: foreign-keys off");
  const kept = keptTables(plan?.steps ?? []);
  if (kept.length > 0) lines.push(`-- springhouse: keeps-data ${kept.join(", ")}`);
  for (const hint of [...(plan?.hints ?? []), ...(plan?.undeclared ?? [])]) {
    lines.push(`-- Note: ${inOneLine(hint)}.`);
  }
  const up = renderSteps(plan?.steps ?? []);
  const down = renderSteps(plan?.inverse ?? []);
  return [...lines, "-- up", ...up, "", "-- down", ...down, ""].join("\n");
}

/** Tables that are dropped without a loss, as far as a directive can name them. */
function keptTables(steps: readonly PlanStep[]): readonly string[] {
  const dropped = steps
    .filter(({ destructive }) => !destructive)
    .flatMap(({ sql }) => sql.map((statement) => judgeStatement(statement)))
    .flatMap(({ dropsTable, table }) => (dropsTable === true && table !== undefined ? table : []));
  return dropped.filter((table) => PLAIN_NAME.test(table));
}

function renderSteps(steps: readonly PlanStep[]): readonly string[] {
  return steps.flatMap(({ summary, sql }) => [
    "",
    `-- ${inOneLine(summary)}`,
    ...sql.map((statement) => `${statement};`),
  ]);
}

function renderCode(plan: SchemaPlan | undefined): string {
  const lines = [`import type { MigrationTransaction } from "springhouse/migrate";`, ""];
  for (const hint of [...(plan?.hints ?? []), ...(plan?.undeclared ?? [])]) {
    lines.push(`// Note: ${inOneLine(hint)}.`);
  }
  if (plan?.foreignKeys === "off") lines.push(`export const foreignKeys = "off";`, "");
  if (plan !== undefined && !plan.steps.some(({ destructive }) => destructive)) {
    lines.push("export const destructive = false;", "");
  }
  lines.push(...renderFunction("up", plan?.steps ?? []), "");
  lines.push(...renderFunction("down", plan?.inverse ?? []), "");
  return lines.join("\n");
}

function renderFunction(name: string, steps: readonly PlanStep[]): readonly string[] {
  if (steps.length === 0) {
    return [`export async function ${name}(_tx: MigrationTransaction): Promise<void> {}`];
  }
  return [
    `export async function ${name}(tx: MigrationTransaction): Promise<void> {`,
    ...steps.flatMap(({ summary, sql }) => [
      `  // ${inOneLine(summary)}`,
      ...sql.map((statement) => `  await tx.execute(\`${escapeTemplate(statement)}\`);`),
    ]),
    "}",
  ];
}

/** Names and expressions may hold ends of lines, and what follows one is no comment any more. */
function inOneLine(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]+/g, " ");
}

function escapeTemplate(text: string): string {
  return text.replace(/[\\`]|\$\{/g, (found) => `\\${found}`);
}

function pendingError(pending: readonly Migration[]): SpringhouseError {
  const names = pending.map(labelOf);
  const message =
    `${names.join(", ")} ${names.length === 1 ? "is" : "are"} pending, and the difference would ` +
    "repeat that. " +
    "Run `springhouse migrate up` first.";
  return new SpringhouseError("MIGRATION_OUT_OF_ORDER", message, { fields: { pending: names } });
}

function refuse(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `Migrate: ${reason}.`);
}
