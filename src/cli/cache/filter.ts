/** Which entries a command means. */

import { parseWholeKey, type WholeKey, wholeTag } from "../../cache/whole-key.ts";
import { nearest } from "../../core/options.ts";
import type { KeysQuery } from "../../tier/tier.ts";
import { type CommandOption, type Invocation, textOf, usageError } from "../command.ts";
import type { ExistingPlace } from "./places.ts";

/** All entries without a condition. */
export interface Filter {
  readonly namespace: string | undefined;
  readonly category: string | undefined;
  /** A key of whole parts, which stands for itself and all below. */
  readonly prefix: string | undefined;
  readonly tag: string | undefined;
}

/** The options of a command that takes a filter. */
export const FILTER_OPTIONS: readonly CommandOption[] = [
  { flags: "--category <name>", doc: "only this category" },
  { flags: "--prefix <key>", doc: "only this key and those below; with --category" },
  { flags: "--tag <tag>", doc: "only entries with this tag" },
  { flags: "--namespace <name>", doc: "only this namespace; that of a tag is cache" },
];

/** What a cache is called that says nothing else. */
const NAMESPACE = "cache";

export function filterOf(invocation: Invocation): Filter {
  const filter = {
    namespace: textOf(invocation, "namespace"),
    category: textOf(invocation, "category"),
    prefix: textOf(invocation, "prefix")?.normalize("NFC"),
    tag: textOf(invocation, "tag"),
  };
  const { category, prefix, tag } = filter;
  if (prefix === "") {
    throw usageError(
      '--prefix: "" is no key. Give one, such as week:7, or leave --prefix out, which takes the ' +
        "whole category.",
    );
  }
  if (prefix !== undefined && category === undefined) {
    throw usageError("--prefix is a key of one category. Say which with --category.");
  }
  if (tag !== undefined && category !== undefined) {
    throw usageError("A tag is of all categories. Give --tag or --category.");
  }
  return tag === undefined ? filter : { ...filter, namespace: filter.namespace ?? NAMESPACE };
}

export function isEmpty({ namespace, category, tag }: Filter): boolean {
  return namespace === undefined && category === undefined && tag === undefined;
}

/** The tag as the tiers know it. */
export function tagOf({ namespace = NAMESPACE, tag }: Filter): string | undefined {
  return tag === undefined ? undefined : wholeTag(namespace, tag);
}

/** An entry that was found. */
export interface Found {
  /** The key as the tiers know it. */
  readonly text: string;
  /** Undefined for a key that no cache made. */
  readonly whole: WholeKey | undefined;
}

/** The entries of a tier that a filter means, in chunks. */
export async function* find(
  { tier }: ExistingPlace,
  filter: Filter,
  signal: AbortSignal,
): AsyncGenerator<readonly Found[], void, undefined> {
  const { namespace } = filter;
  const tag = tagOf(filter);
  const query: KeysQuery = {
    ...(namespace === undefined ? {} : { prefix: `${namespace}/` }),
    ...(tag === undefined ? {} : { tag }),
  };
  for await (const keys of tier.keys(query, { signal })) {
    yield keys
      .map((text) => ({ text, whole: parseWholeKey(text) }))
      .filter(({ whole }) => isMeant(whole, filter));
  }
}

/** A category that has no entries, and what has some instead. */
export interface MissingCategory {
  /** For people. */
  readonly note: string;
  /** The categories that have entries, by their names. */
  readonly known: readonly string[];
}

/**
 * Why a filter found nothing: its category is none of those that the tiers know. `undefined` when
 * it is one of them, and when they know none. The configuration has no list of categories, since
 * these are the program's.
 */
export async function missingCategory(
  places: readonly ExistingPlace[],
  { namespace, category }: Filter,
  signal: AbortSignal,
): Promise<MissingCategory | undefined> {
  if (category === undefined) return undefined;
  const all: Filter = { namespace, category: undefined, prefix: undefined, tag: undefined };
  const names = new Set<string>();
  for (const place of places) {
    for await (const chunk of find(place, all, signal)) {
      for (const { whole } of chunk) if (whole !== undefined) names.add(whole.category);
    }
  }
  if (names.size === 0 || names.has(category)) return undefined;
  const known = [...names].sort();
  const near = nearest(category, known);
  const hint = near === undefined ? "" : ` Is "${near}" meant?`;
  const note = `Nothing is kept under "${category}". Categories with entries: `;
  return { note: `${note}${known.join(", ")}.${hint}`, known };
}

function isMeant(whole: WholeKey | undefined, { category, prefix }: Filter): boolean {
  if (category === undefined) return true;
  if (whole?.category !== category) return false;
  return prefix === undefined || whole.key === prefix || whole.key.startsWith(`${prefix}:`);
}
