/**
 * Tags: names under which entries are dropped together. They are kept apart by namespace, as keys
 * are, because caches may share a tier.
 */

import { SpringhouseError } from "../core/errors.ts";

/** The tag as the tiers know it. @throws `INVALID_ARGUMENT` for what is no tag. */
export function fullTag(namespace: string, tag: string): string {
  if (typeof tag === "string" && tag.length > 0) return `${namespace}/${tag.normalize("NFC")}`;
  const message = `A tag is a text that is not empty, and not ${JSON.stringify(tag)}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message);
}

/** The tag as the caller knows it. */
export function shortTag(namespace: string, full: string): string {
  return full.slice(namespace.length + 1);
}
