/** All names under which a key may be given: its own, its aliases and its environment variable. */

import { ALWAYS_ON, type AliasUnit, KEYS, type KeyFacts, type KeyGroup } from "./keys.ts";

/** A key with its dotted name. */
export interface Key {
  readonly name: string;
  readonly facts: KeyFacts;
  /** Such as `SPRINGHOUSE_DATABASE_POOL_MAX_SIZE`. */
  readonly variable: string;
}

/** What a dotted name in a file stands for. */
export interface Name {
  readonly key: Key;
  readonly unit: AliasUnit;
}

/** Every environment variable of ours begins with this. */
export const PREFIX = "SPRINGHOUSE_";

/** Every key, in the order of the table. */
export const ALL_KEYS: readonly Key[] = [...keysOf(KEYS, "")];

/** Keys and aliases by dotted name. */
export const NAMES: ReadonlyMap<string, Name> = new Map(
  ALL_KEYS.flatMap((key): [string, Name][] => [
    [key.name, { key, unit: "same" }],
    ...Object.entries(key.facts.aliases ?? {}).map(([alias, unit]): [string, Name] => [
      alias,
      { key, unit },
    ]),
  ]),
);

/** Dotted names that hold further names. */
export const GROUPS: ReadonlySet<string> = new Set(
  [...NAMES.keys(), ...Object.keys(ALWAYS_ON)].flatMap((name) => {
    const parts = name.split(".");
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("."));
  }),
);

/** The parts of the configuration, which are also the first words of the variables. */
export const SECTIONS: readonly string[] = Object.keys(KEYS);

function* keysOf(group: KeyGroup, prefix: string): Generator<Key> {
  for (const [part, entry] of Object.entries(group)) {
    const name = `${prefix}${part}`;
    if (isKey(entry)) yield { name, facts: entry, variable: variableOf(name) };
    else yield* keysOf(entry, `${name}.`);
  }
}

function isKey(entry: KeyFacts | KeyGroup): entry is KeyFacts {
  return typeof entry["type"] === "string";
}

function variableOf(name: string): string {
  const words = name.replaceAll(".", "_").replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `${PREFIX}${words.toUpperCase()}`;
}
