/**
 * Migrations as numbered files: `0001_create_tasks.sql`, or `.ts`, `.mts`, `.js`, `.mjs`.
 *
 * An SQL file has sections, each begun by a comment line of its own: `-- up` and `-- down`; what
 * stands before the first is `up`. Lines `-- springhouse: …` set `foreign-keys off`,
 * `irreversible`, `baseline`, and `keeps-data <tables>` for those dropped once all was copied.
 * A code file exports `up(tx)`, and if it has them `down(tx)`, `data(step)`, `foreignKeys`,
 * `baseline`, `destructive`.
 *
 * The checksum is taken over the text without what editors and Git change on their own: line ends,
 * the byte order mark, white space at the end of lines and of the file.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "../core/errors.ts";
import { hashText } from "../core/hash.ts";
import { importProblem } from "../core/import-problem.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { tokenize } from "../core/sql-tokens.ts";
import { decodeText } from "./file-text.ts";
import { FILE_NAME, listFolder } from "./folder.ts";
import { judgeStatement } from "./lint.ts";
import type { Migration, MigrationBody, MigrationDefinition } from "./migration.ts";
import { invalid, type ScriptStatement, splitStatements } from "./sql-script.ts";

/** More than anybody has; a folder with more is another folder. */
const FILES_MAX = 10_000;
/** 8 MiB: a migration is read by people; bulk data belongs into an import. */
const FILE_BYTES_MAX = 8 * 1_024 * 1_024;

/**
 * Reads all migrations of a folder, by version.
 *
 * @throws `MIGRATION_INVALID` naming file and line, or the folder when it does not exist.
 */
export async function loadMigrations(directory: string): Promise<readonly Migration[]> {
  const names = await listFolder(directory);
  if (names.length > FILES_MAX) throw invalid(directory, 0, `more than ${FILES_MAX} files`);
  const migrations: Migration[] = [];
  for (const name of names.sort()) {
    if (isIgnored(name)) continue;
    migrations.push(await loadFile(directory, name));
  }
  return orderMigrations(migrations);
}

/** Dotfiles, declarations, and what is not SQL or TypeScript and does not look numbered. */
function isIgnored(name: string): boolean {
  if (name.startsWith(".") || /\.(?:d\.m?ts|map)$/.test(name)) return true;
  return !/^\d/.test(name) && !/\.(?:sql|m?ts)$/.test(name);
}

/** Migrations by version; two of one version are refused. */
export function orderMigrations(migrations: readonly Migration[]): readonly Migration[] {
  const ordered = migrations.toSorted((a, b) => a.version - b.version);
  for (const [index, migration] of ordered.entries()) {
    const previous = ordered[index - 1];
    if (previous?.version !== migration.version) continue;
    const message = `version ${migration.version} is used twice, also by ${labelOf(previous)}`;
    throw invalid(labelOf(migration), 0, `${message}; give one of them the next free number`);
  }
  return ordered;
}

/**
 * A migration in code instead of in a file. Its checksum covers the text of its script or function.
 *
 * @example defineMigration({ version: 1, name: "tasks", up: "CREATE TABLE tasks (id INTEGER)" })
 * @throws `MIGRATION_INVALID` when it cannot run.
 */
export function defineMigration(definition: MigrationDefinition): Migration {
  const source = `migration ${definition.version} "${definition.name}"`;
  refuseUnknownKeys(definition, DEFINITION_KEYS, source, "MIGRATION_INVALID");
  if (!Number.isSafeInteger(definition.version) || definition.version < 1) {
    throw invalid(source, 0, "a version is a whole number from 1");
  }
  const text = [definition.up, definition.down, definition.data].map(String).join("\n");
  return assemble(definition, text, source);
}

/** SHA-256 in hex over the text without its accidental parts. */
export function checksumOf(text: string): string {
  const normalised = text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    // Each run is looked at from its beginning alone: from everywhere it would take its square.
    .replace(/(?<![ \t\f\v])[ \t\f\v]+$/gm, "")
    .replace(/(?<!\n)\n+$/, "");
  return createHash("sha256").update(normalised).digest("hex");
}

/** How a migration is called in messages. */
export function labelOf({ version, name }: { version: number; name: string }): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}

const DEFINITION_KEYS = [
  "version",
  "name",
  "up",
  "down",
  "data",
  "foreignKeys",
  "baseline",
  "destructive",
];

async function loadFile(directory: string, fileName: string): Promise<Migration> {
  const path = join(directory, fileName);
  const [, digits, name, extension] = FILE_NAME.exec(fileName) ?? [];
  if (digits === undefined || name === undefined) {
    throw invalid(path, 0, "a migration is named like 0001_create_tasks.sql (or .ts, .js)");
  }
  const version = Number(digits);
  if (version < 1) throw invalid(path, 0, "versions begin at 1");
  const text = await readText(path);
  if (extension === "sql") return parseSqlFile(text, { version, name }, path);
  return assemble({ ...(await importFile(path, text)), version, name }, text, path);
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw invalid(path, 0, `it cannot be read: ${messageOf(error)}`);
  });
  if (bytes.length > FILE_BYTES_MAX) {
    throw invalid(path, 0, `it has more than ${FILE_BYTES_MAX} bytes; import bulk data instead`);
  }
  return decodeText(bytes, path);
}

/**
 * The exports of a code file. Node.js loads an address once for the life of the process, so the
 * hash of the text is part of it: the code that runs is the one whose checksum is recorded.
 */
async function importFile(path: string, text: string): Promise<MigrationDefinition> {
  const address = `${pathToFileURL(path).href}?${hashText(text)}`;
  const module = await import(address).catch((error: unknown) => {
    throw invalid(path, 0, `it cannot be loaded: ${importProblem(error)}`);
  });
  if ((await readText(path)) !== text) throw invalid(path, 0, "it was changed while it was read");
  const exported = Object.fromEntries(Object.entries(module).filter(([key]) => key !== "default"));
  refuseUnknownKeys(exported, DEFINITION_KEYS, path, "MIGRATION_INVALID");
  return exported as unknown as MigrationDefinition;
}

/** Checks a definition, whoever wrote it: a caller in TypeScript or a file of unknown content. */
function assemble(definition: MigrationDefinition, text: string, source: string): Migration {
  const { version, name, up, down, data, foreignKeys, baseline, destructive } = definition;
  if (up === undefined) throw invalid(source, 0, "it has no `up`");
  if (data !== undefined && typeof data !== "function") {
    throw invalid(source, 0, "`data` must be a function");
  }
  if (foreignKeys !== undefined && foreignKeys !== "on" && foreignKeys !== "off") {
    throw invalid(source, 0, '`foreignKeys` must be "on" or "off"');
  }
  const upBody = bodyOf(up, "up", source);
  const judged = upBody.kind === "code" || isDestructive(upBody.statements);
  return {
    version,
    name,
    checksum: checksumOf(text),
    source,
    up: upBody,
    ...(down !== undefined && { down: bodyOf(down, "down", source) }),
    ...(data !== undefined && { data }),
    foreignKeys: foreignKeys ?? "on",
    baseline: baseline ?? false,
    destructive: destructive ?? judged,
  };
}

function bodyOf(value: MigrationDefinition["up"], key: string, source: string): MigrationBody {
  if (typeof value === "function") return { kind: "code", run: value };
  if (typeof value !== "string") {
    throw invalid(source, 0, `\`${key}\` must be a script or a function`);
  }
  const statements = splitStatements(value, source);
  checkStatements(statements, source);
  return { kind: "script", statements };
}

interface Section {
  readonly kind: "up" | "down";
  readonly start: number;
  readonly line: number;
}

function parseSqlFile(
  raw: string,
  { version, name }: { version: number; name: string },
  source: string,
): Migration {
  const text = raw.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const { sections, directives } = readMarks(text, source);
  const bodies = new Map<"up" | "down", readonly ScriptStatement[]>();
  for (const [index, section] of sections.entries()) {
    if (bodies.has(section.kind)) {
      throw invalid(source, section.line, `there is a second section "-- ${section.kind}"`);
    }
    const script = text.slice(section.start, sections[index + 1]?.start ?? text.length);
    const statements = splitStatements(script, source, section.line);
    checkStatements(statements, source);
    bodies.set(section.kind, statements);
  }
  const up = bodies.get("up") ?? [];
  const keepsData = keptTables(directives);
  const down = bodies.get("down") ?? [];
  if (directives.has("irreversible") && down.length > 0) {
    throw invalid(source, 0, "it is marked irreversible and has a section -- down; drop one");
  }
  return {
    version,
    name,
    checksum: checksumOf(raw),
    source,
    up: { kind: "script", statements: up },
    ...(down.length > 0 && { down: { kind: "script", statements: down } }),
    foreignKeys: directives.has("foreign-keys off") ? "off" : "on",
    baseline: directives.has("baseline"),
    destructive: isDestructive(up, keepsData),
    keepsData,
  };
}

const DIRECTIVES = ["foreign-keys off", "irreversible", "baseline"];
const KEEPS_DATA = /^keeps-data (\S+(?:, ?\S+)*)$/;

/** Section marks and directives: comments on a line of their own, outside of any statement text. */
function readMarks(
  text: string,
  source: string,
): { readonly sections: readonly Section[]; readonly directives: ReadonlySet<string> } {
  const sections: Section[] = [{ kind: "up", start: 0, line: 1 }];
  const directives = new Set<string>();
  let isExplicit = false;
  for (const token of tokenize(text)) {
    if (token.kind !== "comment" || !token.text.startsWith("--")) continue;
    const lineStart = text.lastIndexOf("\n", token.start) + 1;
    if (text.slice(lineStart, token.start).trim() !== "") continue;
    const words = lowerAscii(token.text.slice(2).trim().replace(/\s+/g, " "));
    if (words === "up" || words === "down") {
      // What stands before the first mark is `up`, unless it is only comment.
      if (!isExplicit && isBlank(text.slice(0, token.start))) sections.pop();
      isExplicit = true;
      sections.push({ kind: words, start: token.start, line: token.line });
    } else if (words.startsWith("springhouse:")) {
      const directive = words.slice("springhouse:".length).trim();
      if (!DIRECTIVES.includes(directive) && !KEEPS_DATA.test(directive)) {
        const known = [...DIRECTIVES, "keeps-data <tables>"].join(", ");
        throw invalid(source, token.line, `unknown directive "${directive}"; known are ${known}`);
      }
      directives.add(directive);
    }
  }
  return { sections, directives };
}

function isBlank(sql: string): boolean {
  return tokenize(sql).every((token) => token.kind === "comment");
}

function checkStatements(statements: readonly ScriptStatement[], source: string): void {
  for (const { sql, line } of statements) {
    const { refusal } = judgeStatement(sql);
    if (refusal === undefined) continue;
    const words = sql.split(/\s+/, 2).join(" ").toUpperCase();
    throw invalid(source, line, `${words} is not allowed here: ${refusal}`);
  }
}

function isDestructive(
  statements: readonly ScriptStatement[],
  keepsData: readonly string[] = [],
): boolean {
  return statements.some(({ sql }) => judgeStatement(sql, keepsData).destructive);
}

function keptTables(directives: ReadonlySet<string>): readonly string[] {
  return [...directives].flatMap(
    (directive) => KEEPS_DATA.exec(directive)?.[1]?.split(/, ?/) ?? [],
  );
}
