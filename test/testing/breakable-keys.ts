/** How the breakable tier tells keys apart, and how it should not. */

import type { Breach } from "./breaches.ts";

/** What a key is stored under. */
export function nameOf(key: string, breach: Breach | undefined): string {
  if (breach === "keys ignore case") return key.toLowerCase();
  if (breach === "keys are trimmed") return key.trim();
  if (breach === "keys are normalised") return key.normalize();
  if (breach === "keys are cut") return key.slice(0, 255);
  return key;
}

/** Whether a key begins with a prefix. */
export function matches(key: string, prefix: string, breach: Breach | undefined): boolean {
  if (breach === "prefix is LIKE") {
    const source = prefix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const like = source.replaceAll("%", "[^]*").replaceAll("_", "[^]");
    return new RegExp(`^${like}`, "iu").test(key);
  }
  if (breach === "prefix is normalised") return key.normalize().startsWith(prefix.normalize());
  if (breach === "prefix is whole" && prefix !== "") return key.startsWith(`${prefix}:`);
  if (breach === "keys are cut") return key.startsWith(prefix.slice(0, 255));
  return key.startsWith(prefix);
}

/** What a tag is known under. */
export function tagName(breach: Breach | undefined, tag: string): string {
  return breach === "tags ignore case" ? tag.toLowerCase() : tag;
}
