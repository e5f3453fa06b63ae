/** Keys as the tiers know them: namespace, version and category in front, `/` between. */

import { SpringhouseError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";

/** No name contains it. */
const SLASH = "/";

/** What the keys of a category begin with. */
export interface CategoryPlace {
  readonly namespace: string;
  readonly version: string;
  readonly category: string;
}

/** A whole key, taken apart. */
export interface WholeKey extends CategoryPlace {
  readonly key: string;
}

/** What the keys of a namespace begin with. */
export function namespacePrefix(namespace: string): string {
  return namespace + SLASH;
}

export function wholePrefix({ namespace, version, category }: CategoryPlace): string {
  return `${namespace}${SLASH}${version}${SLASH}${category}${SLASH}`;
}

/** The name of a tag in the tiers. @throws `INVALID_ARGUMENT` for what is no tag. */
export function wholeTag(namespace: string, tag: string): string {
  if (typeof tag === "string" && tag.length > 0) {
    return `${namespace}${SLASH}${tag.normalize("NFC")}`;
  }
  const message = `A tag is a text that is not empty, and not ${shown(tag)}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message);
}

/** The tag as its namespace knows it. */
export function tagIn(namespace: string, whole: string): string {
  return whole.slice(namespace.length + SLASH.length);
}

/** `undefined` for a key that no cache made. */
export function parseWholeKey(text: string): WholeKey | undefined {
  const [, namespace, version, category, key] = WHOLE_KEY.exec(text) ?? [];
  if (namespace === undefined || version === undefined) return undefined;
  if (category === undefined || key === undefined) return undefined;
  return { namespace, version, category, key };
}

/** What the keys of categories begin with, the category of most of these keys first. */
export function fullestCategories(keys: Iterable<string>): readonly string[] {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const whole = parseWholeKey(key);
    if (whole === undefined) continue;
    const prefix = wholePrefix(whole);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([prefix]) => prefix);
}

const WHOLE_KEY = /^([^/]+)\/([^/]+)\/([^/]+)\/(.+)$/s;
