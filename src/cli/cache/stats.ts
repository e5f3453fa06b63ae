/** `springhouse cache stats`: what is kept where. */

import { formatBytes } from "../../core/bytes.ts";
import type { TierStatistics } from "../../tier/tier.ts";
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
  readonly entries: number;
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
    return withPlaces(invocation, async (places) => {
      const categories = new Map<string, CategoryReport>();
      for (const place of existing(places)) {
        await count(place, categories, invocation.terminal.signal);
      }
      // After the listing, by which every tier knows what it has.
      const tiers = places.map(report);
      const rows = [...categories.values()];
      return { ok: true, data: { tiers, categories: rows }, text: render(tiers, rows) };
    });
  },
};

async function count(
  place: ExistingPlace,
  categories: Map<string, CategoryReport>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of find(place, EVERYTHING, signal)) {
    for (const { whole } of chunk) {
      const { namespace = "", version = "", category = "(no category)" } = whole ?? {};
      const id = JSON.stringify([namespace, version, category]);
      const found = categories.get(id) ?? { namespace, version, category, entries: {} };
      categories.set(id, found);
      found.entries[place.name] = (found.entries[place.name] ?? 0) + 1;
    }
  }
}

function report({ name, path, tier }: OpenPlace): PlaceReport {
  const kept: Partial<TierStatistics> = tier?.statistics() ?? {};
  const { entries = 0, bytes = 0 } = kept;
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
