/**
 * Which backend keeps the data. It is read from `burndown.config.json` in the folder of the
 * application, and the environment goes before it:
 *
 *     { "backend": "move", "stages": { "profiles": "reversed", "caches": "shadow" } }
 *
 * `sqlite` is the database, `json` the old files, and `move` both of them behind one interface,
 * each kind of thing at a stage of its own.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpringhouseError } from "springhouse";
import type { MoveStage } from "springhouse/import";
import type { Repositories } from "./backend/backend.ts";
import { isObject } from "./json-reader.ts";

export const BACKENDS = ["sqlite", "json", "move"] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Settings {
  readonly backend: BackendName;
  /** For `move`. What is not named is at `shadow`. */
  readonly stages: { readonly [Name in keyof Repositories]?: MoveStage };
}

/**
 * The settings of a folder.
 *
 * @param given goes before everything else. Default: nothing is given.
 * @throws `CONFIG` for what is no setting.
 */
export function readSettings(
  root: string,
  given?: string,
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const path = join(root, "burndown.config.json");
  const file = readConfig(path);
  const unknown = Object.keys(file).find((key) => key !== "backend" && key !== "stages");
  if (unknown !== undefined) {
    throw wrong(path, `"${unknown}" is no setting; there are "backend" and "stages"`);
  }
  const backend = given ?? environment["BURNDOWN_BACKEND"] ?? file["backend"] ?? "sqlite";
  const known = BACKENDS.find((each) => each === backend);
  if (known === undefined) {
    throw wrong(path, `backend is "${backend}", which is none of ${BACKENDS.join(", ")}`);
  }
  const stages = file["stages"] ?? {};
  if (!isObject(stages)) throw wrong(path, '"stages" is no object, as { "profiles": "shadow" }');
  return { backend: known, stages };
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below, as everything else that is no object.
  }
  throw wrong(path, "it is no JSON object");
}

function wrong(path: string, what: string): SpringhouseError {
  return new SpringhouseError("CONFIG", `${path}: ${what}.`, { fields: { path } });
}
