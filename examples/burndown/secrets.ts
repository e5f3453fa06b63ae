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
import { isSecretName, maskSecrets } from "springhouse/import";
import { isObject, type Path } from "./json-reader.ts";
import { writeFileWhole } from "./whole-file.ts";

/** A value without the secrets in it, and what these were. */
export interface Parted<T> {
  readonly rest: T;
  /** The one for JIRA, when there is any. */
  readonly token: string | undefined;
  /** Where the others were: "headers.Authorization". */
  readonly leftOut: readonly string[];
}

interface Secret {
  readonly path: Path;
  readonly value: unknown;
}

/**
 * Parts a value from the secrets at any depth of it, by the judgement of the import's copies:
 * members that are secret by their names are left out, in texts "***" stands for passwords of URLs
 * and for parameters such as `?token=…`.
 */
export function partSecrets<T>(value: T): Parted<T> {
  const secrets: Secret[] = [];
  const rest = without(value, [], secrets) as T;
  const named = secrets.filter(({ path }) => isHidden(String(path.at(-1)), ""));
  const texts = named.filter(({ value: each }) => typeof each === "string" && each !== "");
  const isToken = ({ path }: Secret): boolean => /token$/i.test(String(path.at(-1)));
  const isOfJira = ({ path }: Secret): boolean => path.join(".") === "jira_config.token";
  const token = texts.find(isOfJira) ?? texts.find(isToken) ?? texts[0];
  const others = secrets.filter((each) => each !== token && each.value !== "");
  return {
    rest,
    token: token === undefined ? undefined : String(token.value),
    leftOut: others.map(({ path }) => path.join(".")),
  };
}

/** A value as it is to be written, with the secrets that stood in its place before. */
export function withSecrets(after: unknown, before: unknown): unknown {
  if (typeof after === "string") {
    return typeof before === "string" && maskSecrets(before) === after ? before : after;
  }
  if (Array.isArray(after)) {
    const list = Array.isArray(before) ? before : [];
    return after.map((item, index) => withSecrets(item, list[index]));
  }
  if (!isObject(after) || !isObject(before)) return after;
  const kept = Object.entries(before).filter(([name, part]) => isHidden(name, part));
  const parts = Object.entries(after).map(([name, part]) => [
    name,
    withSecrets(part, before[name]),
  ]);
  return { ...Object.fromEntries(kept), ...Object.fromEntries(parts) };
}

function without(value: unknown, path: Path, secrets: Secret[]): unknown {
  if (typeof value === "string") {
    const text = maskSecrets(value);
    if (text !== value) secrets.push({ path, value });
    return text;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => without(item, [...path, index], secrets));
  }
  if (!isObject(value)) return value;
  const kept: [string, unknown][] = [];
  for (const [name, part] of Object.entries(value)) {
    const inside = [...path, name];
    if (isHidden(name, part)) secrets.push({ path: inside, value: part });
    else kept.push([name, without(part, inside, secrets)]);
  }
  return Object.fromEntries(kept);
}

/** True, false and null give nothing away, whatever they are called. */
function isHidden(name: string, value: unknown): boolean {
  return isSecretName(name) && value != null && typeof value !== "boolean";
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
