/** `springhouse cache warm`: loads what a module of the user says. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Cache } from "../../cache/cache.ts";
import { type Key, keyText } from "../../cache/key.ts";
import type { LoadMany } from "../../cache/load.ts";
import type { ReadOptions } from "../../cache/options.ts";
import type { WarmResult } from "../../cache/warm.ts";
import { messageOf, SpringhouseError } from "../../core/errors.ts";
import { importProblem } from "../../core/import-problem.ts";
import { nearest } from "../../core/options.ts";
import type { ConfiguredCacheOptions } from "../../open/configured-cache.ts";
import { type CommandDefinition, countOf, type Invocation, isGiven } from "../command.ts";
import { ProgressLine } from "../progress.ts";
import { loadSettings } from "../settings.ts";
import { counted } from "./places.ts";

/** What the module exports. */
interface WarmModule {
  /** What to load: a list, or a function that gives one. */
  readonly keys: readonly Key[] | (() => readonly Key[] | Promise<readonly Key[]>);
  /** Makes the values of several keys. */
  readonly load: LoadMany<unknown>;
  /** The name of the category. Default: "default". */
  readonly category?: string;
  /** The life of the entries, their tags. */
  readonly options?: ReadOptions;
  /** The options of the program's cache, so that it finds what was kept. */
  readonly cache?: ConfiguredCacheOptions;
}

/** Keys that stand for all in a line. */
const SHOWN = 3;

const EXPORTS = ["keys", "load", "category", "options", "cache"];

export const cacheWarm: CommandDefinition = {
  name: "cache warm",
  summary: "Load keys before they are asked for, as a module says; 1 when a load fails",
  arguments: [{ name: "<module>", doc: "a module that exports keys and load" }],
  options: [
    { flags: "--refresh", doc: "load anew what is there already" },
    { flags: "--batch-size <count>", doc: "keys in one call of load; default: 100", count: true },
    { flags: "--concurrency <count>", doc: "calls at the same time; default: 2", count: true },
  ],
  examples: [
    "springhouse cache warm ./warm-weeks.ts",
    "springhouse cache warm ./warm.js --refresh",
  ],
  async run(invocation) {
    const module = await importModule(invocation);
    const { createConfiguredCache } = await import("../../open/configured-cache.ts");
    const config = await loadSettings(invocation);
    // A tier that fails must not look as if it had been filled.
    await using cache = await createConfiguredCache(config, { ...module.cache, strict: true });
    refuseMemoryAlone(cache);
    const keys = typeof module.keys === "function" ? await module.keys() : module.keys;
    const { keys: count, missing, failures } = await warm(cache, module, keys, invocation);
    const failed = failures.map((failure) => ({
      keys: failure.keys.map(keyText),
      message: messageOf(failure.error),
    }));
    const failedCount = failed.reduce((sum, { keys }) => sum + keys.length, 0);
    const warmed = count - missing.length - failedCount;
    const lines = [
      `Warmed ${counted(warmed, "key", "keys")} of ${count.toLocaleString("en")}.`,
      ...(missing.length === 0 ? [] : [missingLine(missing)]),
      ...failed.map(
        ({ keys, message }) => `failed: ${keys.slice(0, SHOWN).join(", ")}: ${message}`,
      ),
    ];
    return {
      ok: failed.length === 0,
      data: { keys: count, warmed, missing: missing.map(keyText), failures: failed },
      text: lines.join("\n"),
    };
  },
};

function missingLine(missing: readonly Key[]): string {
  const some = missing.slice(0, SHOWN).map(keyText).join(", ");
  const more = missing.length > SHOWN ? ", …" : "";
  const what = counted(missing.length, "key", "keys");
  return `not kept: ${what} (${some}${more}): load gave nothing, or what no tier has room for`;
}

async function warm(
  cache: Cache,
  module: WarmModule,
  keys: readonly Key[],
  invocation: Invocation,
): Promise<WarmResult> {
  using line = new ProgressLine(invocation.terminal);
  const label = module.category ?? "default";
  const batchSize = countOf(invocation, "batchSize");
  const concurrency = countOf(invocation, "concurrency");
  return await cache.category(label).warm(keys, module.load, {
    ...module.options,
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(concurrency === undefined ? {} : { concurrency }),
    refresh: isGiven(invocation, "refresh"),
    signal: invocation.terminal.signal,
    onProgress: (done, total) => line.show({ label, done, total, unit: "keys" }),
  });
}

async function importModule(invocation: Invocation): Promise<WarmModule> {
  const path = resolve(invocation.terminal.cwd, invocation.words[0] ?? "");
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    throw unusable(path, importProblem(error), error);
  }
  for (const name of Object.keys(module)) {
    const meant = EXPORTS.includes(name) ? undefined : nearest(name, EXPORTS);
    if (meant !== undefined) throw unusable(path, `it exports ${name}; is ${meant} meant?`);
  }
  const { keys, load } = module;
  if (!Array.isArray(keys) && typeof keys !== "function") {
    throw unusable(path, "it must export keys, a list or a function that gives one");
  }
  if (typeof load !== "function") {
    throw unusable(path, "it must export load, which makes the values of several keys");
  }
  return module as unknown as WarmModule;
}

function unusable(path: string, problem: string, cause?: unknown): SpringhouseError {
  return new SpringhouseError("CONFIG", `${path} cannot be used: ${problem}.`, {
    cause,
    fields: { path },
  });
}

/** What is only in the memory of this command would be gone with it. */
function refuseMemoryAlone(cache: Cache): void {
  if (cache.cacheStatistics().tiers.some(({ name }) => name !== "memory" && name !== "null"))
    return;
  throw new SpringhouseError(
    "CONFIG",
    "No tier of the configuration outlasts a process, so there is nothing to warm. See " +
      "cache.enabled, cache.sqlite.enabled and cache.files.enabled.",
  );
}
