/**
 * Tokens: not in the database, not in a backup, not in an export.
 *
 * They are read from the environment first and otherwise from one file, `secrets.json`, which only
 * its owner may read. It lies beside the folder `profiles`, not in it, because that folder is what
 * people copy.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpringhouseError } from "springhouse";
import { isObject } from "./json-reader.ts";
import type { JsonObject } from "./model.ts";
import { writeFileWhole } from "./whole-file.ts";

/** Names of keys whose values are secret, in any of the old forms. */
const SECRET_NAME = /(?:^|_)(?:token|password|passwd|secret|api_?key|credentials?)$/i;

/** A value without the secrets in it, and the first of these. */
export interface Parted {
  readonly rest: JsonObject;
  readonly token: string | undefined;
}

/** Parts an object from the secrets at any depth of it. */
export function partSecrets(value: JsonObject): Parted {
  const tokens: string[] = [];
  const rest = without(value, tokens) as JsonObject;
  return { rest, token: tokens[0] };
}

function without(value: unknown, tokens: string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, tokens));
  if (!isObject(value)) return value;
  const kept: [string, unknown][] = [];
  for (const [name, part] of Object.entries(value)) {
    // A mapping such as {"api_token": {…}} is a setting with an unlucky name.
    if (!SECRET_NAME.test(name) || isObject(part)) kept.push([name, without(part, tokens)]);
    else if (typeof part === "string" && part !== "") tokens.push(part);
  }
  return Object.fromEntries(kept);
}

/** The file of an application folder. */
export function secretsPath(root: string): string {
  return join(root, "secrets.json");
}

/** The environment variable that has the token of a profile: BURNDOWN_TOKEN_TEAM_A for "team-a". */
export function tokenVariable(profileId: string): string {
  return `BURNDOWN_TOKEN_${profileId.replaceAll(/[^A-Za-z0-9]/g, "_").toUpperCase()}`;
}

/**
 * The token of a profile, or undefined.
 *
 * @throws `VALIDATION` when `secrets.json` cannot be read as JSON.
 */
export function tokenOf(
  root: string,
  profileId: string,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const given = environment[tokenVariable(profileId)];
  return given !== undefined && given !== "" ? given : readTokens(root).get(profileId);
}

/** Adds tokens to the file; profiles that have one keep it. */
export function keepTokens(root: string, tokens: ReadonlyMap<string, string>): void {
  if (tokens.size === 0) return;
  const known = readTokens(root);
  const all = Object.fromEntries([...tokens, ...known]);
  writeFileWhole(secretsPath(root), `${JSON.stringify({ tokens: all }, null, 2)}\n`);
}

function readTokens(root: string): Map<string, string> {
  const path = secretsPath(root);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  try {
    const { tokens } = JSON.parse(text) as { tokens?: Record<string, string> };
    return new Map(Object.entries(tokens ?? {}));
  } catch (cause) {
    const message = `${path} is not JSON. Mend it, or remove it and give tokens otherwise.`;
    throw new SpringhouseError("VALIDATION", message, { cause, fields: { path } });
  }
}
