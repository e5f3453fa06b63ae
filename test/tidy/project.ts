/** The files of a project as the rules see them, so that a rule can be shown a planted one. */

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Masked, mask } from "./mask.ts";

/** Paths are relative to the root of the repository, with forward slashes. */
export interface Project {
  readonly files: ReadonlyMap<string, string>;
}

/** One import or export of another module. */
export interface Import {
  readonly specifier: string;
  /** Path of the imported file when the specifier is relative. */
  readonly target: string | undefined;
  readonly dynamic: boolean;
  readonly line: number;
}

/** Not written by us, or made by a tool. */
const SKIPPED = new Set([".git", "node_modules", "dist", "coverage", "tmp"]);

/** Files whose text a rule reads. */
const READ = /\.(?:ts|md|json)$/;

/** Reads a repository from the disk; files that no rule reads are known by name only. */
export function readProject(root: string): Project {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (SKIPPED.has(entry.name)) continue;
      if (entry.isDirectory()) visit(path);
      else files.set(path, READ.test(path) ? readFileSync(join(root, path), "utf8") : "");
    }
  };
  visit("");
  return { files };
}

/** A project of a few files, for the tests of the rules. */
export function planted(files: Readonly<Record<string, string>>): Project {
  return { files: new Map(Object.entries(files)) };
}

/** TypeScript files under the folders, with their text, by path. */
export function* sources(project: Project, ...folders: string[]): Generator<[string, string]> {
  for (const [path, text] of project.files) {
    if (path.endsWith(".ts") && folders.some((folder) => path.startsWith(`${folder}/`))) {
      yield [path, text];
    }
  }
}

const masks = new Map<string, Masked>();

/** The masks of a source, made once. */
export function maskOf(text: string): Masked {
  let masked = masks.get(text);
  if (masked === undefined) {
    masked = mask(text);
    masks.set(text, masked);
  }
  return masked;
}

/** Line number, from 1, of a position. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

const STATIC_IMPORT = /^\s*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/gm;
const BARE_IMPORT = /^\s*import\s*["']([^"']+)["']/gm;
const DYNAMIC_IMPORT = /\bimport\s*\(\s*["']([^"']+)["']/g;

/** What a source imports, in no particular order. */
export function importsOf(path: string, text: string): Import[] {
  const { codeAndStrings } = maskOf(text);
  const found: Import[] = [];
  for (const form of [STATIC_IMPORT, BARE_IMPORT, DYNAMIC_IMPORT]) {
    for (const match of codeAndStrings.matchAll(form)) {
      const specifier = match[1] ?? "";
      found.push({
        specifier,
        target: relativeTarget(path, specifier),
        dynamic: form === DYNAMIC_IMPORT,
        line: lineAt(text, match.index + match[0].length),
      });
    }
  }
  return found;
}

const WORKER_URL = /\bnew URL\(\s*(?:["'`])(\.[^"'`$]*)/g;

/** Paths, without an extension, of the files that a source starts as workers or reads by URL. */
export function workersOf(path: string, text: string): string[] {
  const folder = posix.dirname(path);
  return [...text.matchAll(WORKER_URL)].map((match) =>
    posix.join(folder, (match[1] ?? "").replace(/\.(?:ts|js)?$/, "")),
  );
}

function relativeTarget(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(path), specifier);
}
