/** From what was written to settings by key: names are checked here, values are not yet. */

import { readFileSync } from "node:fs";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import { ALWAYS_ON } from "./keys.ts";
import { ALL_KEYS, GROUPS, type Key, NAMES, PREFIX, SECTIONS } from "./names.ts";
import { isPlainObject, parseText, refuse, type Setting } from "./value.ts";

/** What was given, by the name of the key. */
export type Settings = ReadonlyMap<string, Setting>;

/**
 * The settings of a file or of `defineConfig`.
 *
 * @param source names the file in messages.
 * @param base the folder at which relative paths begin.
 * @throws `CONFIG` for an unknown key, and for one that is given under two names.
 */
export function settingsOfObject(input: unknown, source: string, base: string): Settings {
  const settings = new Map<string, Setting>();
  const visit = (group: Readonly<Record<string, unknown>>, prefix: string): void => {
    for (const [part, value] of Object.entries(group)) {
      const path = `${prefix}${part}`;
      const place = `${source}: ${path}`;
      const name = NAMES.get(path);
      if (value === undefined) continue;
      if (name !== undefined) {
        if (name.key.facts.type === "secret") throw secretInFile(place, name.key);
        const other = settings.get(name.key.name);
        const setting: Setting = { value, place, base, unit: name.unit };
        if (other !== undefined) {
          throw refuse(setting, `says the same as ${other.place}. Keep one of them.`);
        }
        settings.set(name.key.name, setting);
      } else if (ALWAYS_ON[path] !== undefined) {
        if (value !== true) {
          throw refuse({ value, place, base, unit: "same" }, `must be true: ${ALWAYS_ON[path]}.`);
        }
      } else if (GROUPS.has(path)) {
        if (value !== null && !isPlainObject(value)) throw notAGroup(place);
        visit(value ?? {}, `${path}.`);
      } else throw unknownKey(path, prefix, source);
    }
  };
  if (!isPlainObject(input)) throw notAGroup(source);
  visit(input, "");
  return settings;
}

/**
 * The settings of the environment. A variable with `_FILE` behind its name gives the file that
 * holds the value, for secrets.
 *
 * @throws `CONFIG` for a variable that begins like one of ours and is none, and for a file that
 *   cannot be read.
 */
export function settingsOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  base: string,
): Settings {
  const settings = new Map<string, Setting>();
  const byVariable = new Map(ALL_KEYS.map((key) => [key.variable, key]));
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(PREFIX)) continue;
    const direct = byVariable.get(variable);
    const key = direct ?? byVariable.get(variable.replace(/_FILE$/, ""));
    if (key === undefined) {
      refuseMisspelt(variable, byVariable);
      continue;
    }
    if (settings.has(key.name)) {
      throw refuse(
        { value: text, place: variable, base, unit: "same" },
        `is set, and ${key.variable} in its other form too. Keep one of them.`,
      );
    }
    const written = direct === undefined ? readSecret(variable, text) : text;
    settings.set(key.name, {
      value: parseText(key.facts, written),
      place: variable,
      base,
      unit: "same",
    });
  }
  return settings;
}

function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new SpringhouseError(
      "CONFIG",
      `${variable}: the file cannot be read. ${messageOf(error)}`,
      { cause: error, fields: { place: variable, path } },
    );
  }
}

/** Files are copied, committed and sent around. */
function secretInFile(place: string, { variable }: Key): SpringhouseError {
  const message =
    `${place}: a secret does not belong into a file of settings. Give it by the variable ` +
    `${variable}, or its file by ${variable}_FILE.`;
  return new SpringhouseError("CONFIG", message, { fields: { place } });
}

/** Other programs may use the prefix too, but not followed by a section of ours. */
function refuseMisspelt(variable: string, known: ReadonlyMap<string, Key>): void {
  const rest = variable.slice(PREFIX.length).toLowerCase();
  if (!SECTIONS.some((section) => rest.startsWith(`${section}_`))) return;
  const near = nearest(variable, [...known.keys()]);
  throw new SpringhouseError(
    "CONFIG",
    `The environment variable ${variable} is none of ours.` +
      (near === undefined ? " See docs/configuration.md." : ` Did you mean ${near}?`),
    { fields: { place: variable } },
  );
}

function notAGroup(place: string): SpringhouseError {
  return new SpringhouseError("CONFIG", `${place}: give an object of names and values.`, {
    fields: { place },
  });
}

/** The right name is a key of that name elsewhere, a near one beside it, or any near one. */
function unknownKey(path: string, prefix: string, source: string): SpringhouseError {
  const part = path.slice(prefix.length);
  const known = ALL_KEYS.map((key) => key.name);
  const siblings = [
    ...new Set(
      known
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).split(".")[0] ?? name),
    ),
  ];
  const sibling = nearest(part, siblings);
  const near =
    known.find((name) => name.endsWith(`.${part}`)) ??
    (sibling === undefined ? nearest(path, known) : `${prefix}${sibling}`);
  const hint =
    near === undefined
      ? `Known${prefix === "" ? "" : ` in ${prefix.slice(0, -1)}`}: ${siblings.join(", ")}.`
      : `Did you mean "${near}"?`;
  return new SpringhouseError("CONFIG", `${source}: unknown key "${path}". ${hint}`, {
    fields: { place: `${source}: ${path}`, key: path },
  });
}
