/**
 * Further facts of the registry, by key. `app_state` has texts, and what is no text there would
 * come back as one; so all of that is one fact of its own, as JSON.
 */

import type { JsonObject } from "../model.ts";

/** The fact that has what is no text. */
const OTHER_FACTS = "registry_extras";

/** What stands in the registry as facts. Its version is of the file, not of what it tells. */
export function factsOf(others: JsonObject): Map<string, string> {
  const facts = new Map<string, string>();
  const rest: [key: string, value: unknown][] = [];
  for (const [key, value] of Object.entries(others)) {
    if (key === "version") continue;
    if (typeof value === "string") facts.set(key, value);
    else rest.push([key, value]);
  }
  if (rest.length > 0) facts.set(OTHER_FACTS, JSON.stringify(Object.fromEntries(rest)));
  return facts;
}

/** What stands in the registry, with one fact set. */
export function withFact(others: JsonObject, key: string, value: string): JsonObject {
  if (key !== OTHER_FACTS) return { ...others, [key]: value };
  const texts = Object.entries(others).filter(([, each]) => typeof each === "string");
  return { ...Object.fromEntries(texts), ...(JSON.parse(value) as JsonObject) };
}
