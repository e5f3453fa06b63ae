/** From settings to the typed configuration: later layers win, the rest is default. */

import { redact } from "../core/redact.ts";
import type { Config } from "./config.ts";
import { ALL_KEYS } from "./names.ts";
import type { Settings } from "./settings.ts";
import { refuse, resolveValue, type Setting } from "./value.ts";

/**
 * Resolves every key.
 *
 * @param layers settings by rising priority.
 * @param base the folder at which relative paths of defaults begin.
 * @throws `CONFIG` for a value that cannot be used.
 */
export function resolveConfig(
  layers: readonly Settings[],
  base: string,
  file: string | undefined,
): Config {
  const values = new Map<string, unknown>();
  for (const { name, facts } of ALL_KEYS) {
    const setting = settingOf(layers, name);
    if (setting !== undefined) values.set(name, resolveValue(facts, setting));
    else if (facts.default !== undefined) {
      const place = `default of ${name}`;
      values.set(name, resolveValue(facts, { value: facts.default, place, base, unit: "same" }));
    }
  }
  fitPool(values, (name) => settingOf(layers, name));
  return freeze({ ...nested(values), file }) as unknown as Config;
}

const MIN_SIZE = "database.pool.minSize";
const MAX_SIZE = "database.pool.maxSize";

/** A size that is given alone moves the default of the other; two that are given must fit. */
function fitPool(values: Map<string, unknown>, given: (name: string) => Setting | undefined): void {
  const least = Number(values.get(MIN_SIZE));
  const most = Number(values.get(MAX_SIZE));
  const setting = given(MAX_SIZE);
  if (setting?.unit === "added") values.set(MAX_SIZE, least + most);
  else if (setting === undefined) values.set(MAX_SIZE, Math.max(least, most));
  else if (given(MIN_SIZE) === undefined) values.set(MIN_SIZE, Math.min(least, most));
  else if (most < least) {
    throw refuse(setting, `${most} is less than ${MIN_SIZE}, which is ${least}.`);
  }
}

function settingOf(layers: readonly Settings[], name: string): Setting | undefined {
  return layers.findLast((layer) => layer.has(name))?.get(name);
}

type Group = { [name: string]: unknown };

function nested(values: ReadonlyMap<string, unknown>): Group {
  const root: Group = {};
  for (const { name } of ALL_KEYS) {
    const parts = name.split(".");
    const last = parts.pop() ?? name;
    let group = root;
    for (const part of parts) {
      group[part] ??= {};
      group = group[part] as Group;
    }
    group[last] = values.get(name);
  }
  return root;
}

/** What `console.log` asks for, under a name that needs no import. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Makes it unchangeable, and its sections such that a log of them shows no password. */
function freeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    if (!Array.isArray(value))
      Object.defineProperty(value, INSPECT, { value: () => redact(value) });
    Object.freeze(value);
  }
  return value;
}
