/** `springhouse cache stats`: what is kept where. */

import { formatBytes } from "../../core/bytes.ts";
import type { CommandDefinition } from "../command.ts";
import { formatTable } from "../table.ts";
import { find } from "./filter.ts";
import { type ExistingPlace, existing, type OpenPlace, withPlaces } from "./places.ts";

const EVERYTHING = {
  namespace: undefined,
  category: undefined,
  prefix: undefined,
  tag: undefined,
};

/** A tier, as it is now. */
interface PlaceReport {
  readonly name: string;
  readonly path: string;
  readonly exists: boolean;
  /** Those that are alive, as by category. */
  readonly entries: number;
  /** Those of entries whose time is over as well, until a sweep removes them. */
  readonly bytes: number;
}

/** Entries of one category, by tier. */
interface CategoryReport {
  readonly namespace: string;
  readonly version: string;
  readonly category: string;
  readonly entries: Record<string, number>;
}

export const cacheStats: CommandDefinition = {
  name: "cache stats",
  summary: "Count what the tiers keep that outlast a process, by category",
  examples: ["springhouse cache stats", "springhouse cache stats --json"],
  async run(invocation) {
    return withPlaces(invocation, "look", async (places) => {
      const categories = new Map<string, CategoryReport>();
      const entries = new Map<string, number>();
      for (const place of existing(places)) {
        entries.set(place.name, await count(place, categories, invocation.terminal.signal));
      }
      // After the listing, by which every tier knows what it has.
      const tiers = places.map((place) => report(place, entries.get(place.name) ?? 0));
      const rows = [...categories.values()];
      return { ok: true, data: { tiers, categories: rows }, text: render(tiers, rows) };
    });
  },
};

/** Counts by category. @returns how many there are. */
async function count(
  place: ExistingPlace,
  categories: Map<string, CategoryReport>,
  signal: AbortSignal,
): Promise<number> {
  let entries = 0;
  for await (const chunk of find(place, EVERYTHING, signal)) {
    entries += chunk.length;
    for (const { whole } of chunk) {
      const { namespace = "", version = "", category = "(no category)" } = whole ?? {};
      const id = JSON.stringify([namespace, version, category]);
      const found = categories.get(id) ?? { namespace, version, category, entries: {} };
      categories.set(id, found);
      found.entries[place.name] = (found.entries[place.name] ?? 0) + 1;
    }
  }
  return entries;
}

function report({ name, path, tier }: OpenPlace, entries: number): PlaceReport {
  const bytes = tier?.statistics().bytes ?? 0;
  return { name, path, exists: tier !== undefined, entries, bytes };
}

function render(tiers: readonly PlaceReport[], categories: readonly CategoryReport[]): string {
  if (tiers.length === 0) return "No tier of the configuration outlasts a process.";
  const table = formatTable(
    [
      { title: "tier" },
      { title: "entries", align: "right" },
      { title: "size", align: "right" },
      { title: "place" },
    ],
    tiers.map(({ name, path, exists, entries, bytes }) => [
      name,
      entries.toLocaleString("en"),
      formatBytes(bytes),
      exists ? path : `${path} (nothing kept yet)`,
    ]),
  );
  if (categories.length === 0) return table;
  const byCategory = formatTable(
    [
      { title: "namespace" },
      { title: "version" },
      { title: "category" },
      ...tiers.map(({ name }) => ({ title: name, align: "right" as const })),
    ],
    categories.map(({ namespace, version, category, entries }) => [
      namespace,
      version,
      category,
      ...tiers.map(({ name }) => (entries[name] ?? 0).toLocaleString("en")),
    ]),
  );
  return `${table}\n\n${byCategory}`;
}
