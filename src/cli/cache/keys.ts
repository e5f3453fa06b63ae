/** `springhouse cache keys`: the keys, and which tiers have them. */

import { type CommandDefinition, countOf, type Invocation, usageError } from "../command.ts";
import { formatTable } from "../table.ts";
import {
  FILTER_OPTIONS,
  type Filter,
  type Found,
  filterOf,
  find,
  missingCategory,
} from "./filter.ts";
import { type ExistingPlace, existing, withPlaces } from "./places.ts";

/** More do not fit on a screen, and a list in memory has an end. */
const LIMIT = 1_000;

/** One key. */
interface KeyReport {
  readonly namespace: string;
  readonly version: string;
  readonly category: string;
  readonly key: string;
  readonly tiers: string[];
}

export const cacheKeys: CommandDefinition = {
  name: "cache keys",
  summary: "List keys and the tiers that have them",
  options: [
    ...FILTER_OPTIONS,
    { flags: "--limit <count>", doc: "at most so many, from 1; default: 1000", count: true },
  ],
  examples: [
    "springhouse cache keys",
    "springhouse cache keys --category week_data --prefix week:7",
    "springhouse cache keys --tag weeks --json",
  ],
  async run(invocation) {
    const filter = filterOf(invocation);
    const limit = limitOf(invocation);
    return withPlaces(invocation, "look", async (places) => {
      const open = existing(places);
      const { signal } = invocation.terminal;
      const { found, more } = await gather(open, filter, limit, signal);
      const keys = await report(open, found, signal);
      const lines = keys.length === 0 ? ["No keys."] : [tableOf(keys)];
      if (more) lines.push(`There are more. Raise --limit, which is ${limit}.`);
      const missing = keys.length === 0 ? await missingCategory(open, filter, signal) : undefined;
      if (missing !== undefined) lines.push(missing.note);
      const data = missing === undefined ? { keys, more } : { keys, more, known: missing.known };
      return { ok: true, data, text: lines.join("\n") };
    });
  },
};

function limitOf(invocation: Invocation): number {
  const limit = countOf(invocation, "limit") ?? LIMIT;
  if (limit < 1) throw usageError("--limit: 0 keys cannot be listed. Give a whole number from 1.");
  return limit;
}

/** The first keys of all tiers, each once. */
async function gather(
  places: readonly ExistingPlace[],
  filter: Filter,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly found: readonly Found[]; readonly more: boolean }> {
  const found = new Map<string, Found>();
  for (const place of places) {
    for await (const chunk of find(place, filter, signal)) {
      for (const one of chunk) {
        if (found.has(one.text)) continue;
        if (found.size === limit) return { found: [...found.values()], more: true };
        found.set(one.text, one);
      }
    }
  }
  return { found: [...found.values()], more: false };
}

async function report(
  places: readonly ExistingPlace[],
  found: readonly Found[],
  signal: AbortSignal,
): Promise<readonly KeyReport[]> {
  const reports = found.map(({ text, whole }): KeyReport => {
    return { namespace: "", version: "", category: "", key: text, ...whole, tiers: [] };
  });
  const texts = found.map(({ text }) => text);
  for (const { name, tier } of places) {
    const looks = await tier.lookMany(texts, { signal });
    for (const [index, one] of reports.entries()) if (looks[index]) one.tiers.push(name);
  }
  return reports;
}

function tableOf(keys: readonly KeyReport[]): string {
  return formatTable(
    [{ title: "category" }, { title: "key" }, { title: "tiers" }],
    keys.map(({ category, key, tiers }) => [category, key, tiers.join(", ")]),
  );
}
