/**
 * Writes the tables of docs/configuration.md from the keys of the configuration; the words around
 * them are written by hand. A test fails when the document is behind.
 *
 * Run by `npx node --conditions=springhouse-source scripts/document-configuration.ts`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KeyFacts, PLANNED } from "../src/config/keys.ts";
import { ALL_KEYS, type Key } from "../src/config/names.ts";

/** The document. */
export const DOCUMENT: string = join(import.meta.dirname, "../docs/configuration.md");

const BEGIN = "<!-- keys: begin -->";
const END = "<!-- keys: end -->";

/** The text of the document with the tables as they must be. */
export function withTables(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no ${BEGIN} … ${END}.`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables()}\n${text.slice(end)}`;
}

function tables(): string {
  const sections = Map.groupBy(ALL_KEYS, ({ name }) => name.split(".")[0] ?? name);
  return [...sections]
    .map(([section, keys]) => `### ${section}\n\n${notice(section)}${table(keys)}\n`)
    .join("\n");
}

/** What stands above the keys of a part that is still to come. */
function notice(section: string): string {
  const planned = Object.entries(PLANNED).find(([name]) => name === section)?.[1];
  if (planned === undefined) return "";
  return (
    "> **No effect in this version.** These keys are read, checked and resolved. They take\n" +
    `> effect with the part that uses them, in a later version: ${planned}.\n\n`
  );
}

function table(keys: readonly Key[]): string {
  const head = "| key | default | meaning | variable | other names |\n|---|---|---|---|---|";
  const rows = keys.map(({ name, facts, variable }) => {
    const cells = [
      `\`${name}\``,
      defaultOf(facts),
      meaning(facts),
      `\`${variable}\``,
      other(facts),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [head, ...rows].join("\n");
}

function defaultOf({ default: value }: KeyFacts): string {
  if (value === undefined) return "none";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function meaning({ type, values, doc, planned }: KeyFacts): string {
  const kind = values === undefined ? type : values.map((value) => `\`${value}\``).join(", ");
  return `${doc} (${kind})${planned === true ? " **No effect in this version.**" : ""}`;
}

function other({ aliases = {} }: KeyFacts): string {
  return Object.entries(aliases)
    .map(([alias, unit]) => (unit === "same" ? `\`${alias}\`` : `\`${alias}\` (${UNITS[unit]})`))
    .join("<br>");
}

const UNITS = {
  seconds: "in seconds",
  pages: "in pages",
  file: "a path",
  added: "on top of `minSize`",
} as const;

if (import.meta.main) writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, "utf8")));
