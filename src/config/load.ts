/**
 * Finding and reading the configuration: defaults, then the file, then the environment.
 *
 * There is one file or none. Two files in one folder are refused, since nobody could tell which of
 * them holds.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { importProblem } from "../core/import-problem.ts";
import { importOptional } from "../core/lazy.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Config, ConfigInput } from "./config.ts";
import { resolveConfig } from "./resolve.ts";
import { settingsOfEnvironment, settingsOfObject } from "./settings.ts";

/** For `loadConfig`. */
export interface LoadConfigOptions {
  /** The folder in which a file is looked for. Default: the working directory. */
  readonly cwd?: string;
  /** The file to read. Default: the one of `CONFIG_FILES` that is in `cwd`, if any. */
  readonly file?: string | undefined;
  /** The environment. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What wins over file and environment, such as options of a command. Default: nothing. */
  readonly overrides?: ConfigInput;
}

/** Names under which a file is found. */
export const CONFIG_FILES: readonly string[] = [
  "ts",
  "mts",
  "js",
  "mjs",
  "json",
  "yaml",
  "yml",
].map((extension) => `springhouse.config.${extension}`);

/**
 * Reads the configuration.
 *
 * @throws `CONFIG` naming the file or the variable when something in it cannot be used;
 *   `MISSING_DEPENDENCY` for a YAML file without the package `yaml`.
 * @example const config = await loadConfig({ file: "deploy/springhouse.config.yaml" });
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Config> {
  refuseUnknownKeys(options, ["cwd", "file", "env", "overrides"], "loadConfig");
  const cwd = resolve(options.cwd ?? ".");
  const file = options.file === undefined ? findFile(cwd) : resolve(cwd, options.file);
  const base = file === undefined ? cwd : dirname(file);
  const written =
    file === undefined
      ? new Map()
      : settingsOfObject(await readConfigFile(file), basename(file), base);
  const environment = settingsOfEnvironment(options.env ?? process.env, cwd);
  const overrides = settingsOfObject(options.overrides ?? {}, "overrides", cwd);
  return resolveConfig([written, environment, overrides], base, file);
}

function findFile(folder: string): string | undefined {
  const found = CONFIG_FILES.filter((name) => existsSync(join(folder, name)));
  if (found.length > 1) {
    throw new SpringhouseError(
      "CONFIG",
      `${folder} has ${found.join(" and ")}. Keep one of them, or name one with --config.`,
      { fields: { folder, found } },
    );
  }
  return found[0] === undefined ? undefined : join(folder, found[0]);
}

async function readConfigFile(file: string): Promise<unknown> {
  if (!existsSync(file)) throw unusable(file, "the file does not exist");
  switch (extname(file)) {
    case ".ts":
    case ".js":
    case ".mjs":
    case ".mts":
      return readModule(file);
    case ".json":
      return parseWith(file, JSON.parse);
    case ".yaml":
    case ".yml": {
      const yaml = await importOptional("yaml", `to read ${basename(file)}`, () => import("yaml"));
      return (await parseWith(file, yaml.parse)) ?? {};
    }
    default:
      throw unusable(file, "its name must end in .ts, .mts, .js, .mjs, .json, .yaml or .yml");
  }
}

async function readModule(file: string): Promise<unknown> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    throw unusable(file, importProblem(error), error);
  }
  if (loaded.default !== undefined) return loaded.default;
  throw unusable(file, "it has no default export; write export default defineConfig({ … })");
}

async function parseWith(file: string, parse: (text: string) => unknown): Promise<unknown> {
  try {
    return parse(await readFile(file, "utf8"));
  } catch (error) {
    throw unusable(file, messageOf(error), error);
  }
}

function unusable(file: string, problem: string, cause?: unknown): SpringhouseError {
  return new SpringhouseError("CONFIG", `${file} cannot be used: ${problem}.`, {
    cause,
    fields: { file },
  });
}
