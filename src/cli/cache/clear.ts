/** `springhouse cache clear`: drops entries, all of them or those that are meant. */

import { type CategoryPlace, wholePrefix } from "../../cache/whole-key.ts";
import type { Tier, TierCallOptions } from "../../tier/tier.ts";
import { type CommandDefinition, isGiven } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";
import {
  FILTER_OPTIONS,
  type Filter,
  filterOf,
  find,
  isEmpty,
  missingCategory,
  tagOf,
} from "./filter.ts";
import { counted, type ExistingPlace, existing, withPlaces } from "./places.ts";

/** What is to be dropped in one tier. */
interface Target {
  readonly place: ExistingPlace;
  readonly entries: number;
  /** The categories that have such entries, one for each namespace and version. */
  readonly categories: readonly CategoryPlace[];
}

export const cacheClear: CommandDefinition = {
  name: "cache clear",
  summary: "Drop entries from the tiers that outlast a process",
  options: [
    ...FILTER_OPTIONS,
    { flags: "--dry-run", doc: "only say what would be dropped" },
    { flags: "--yes", doc: "agree" },
  ],
  examples: [
    "springhouse cache clear --dry-run",
    "springhouse cache clear --category week_data --prefix week:7 --yes",
    "springhouse cache clear --tag weeks --yes",
  ],
  async run(invocation) {
    const filter = filterOf(invocation);
    const dryRun = isGiven(invocation, "dryRun");
    const { signal } = invocation.terminal;
    return withPlaces(invocation, dryRun ? "look" : "change", async (places) => {
      const targets: Target[] = [];
      const open = existing(places);
      for (const place of open) targets.push(await aim(place, filter, signal));
      const sum = targets.reduce((total, { entries }) => total + entries, 0);
      const what = `${counted(sum, "entry", "entries")}${whereOf(targets)}`;
      if (!dryRun && sum > 0) await confirm(invocation, `This drops ${what}.`);
      if (!dryRun) for (const target of targets) await drop(target, filter, { signal });
      const tiers = targets.map(({ place: { name, path }, entries }) => ({ name, path, entries }));
      const text = dryRun ? `This would drop ${what}. Nothing was done.` : `Dropped ${what}.`;
      const missing = sum === 0 ? await missingCategory(open, filter, signal) : undefined;
      const data = { dryRun, entries: sum, tiers };
      if (missing === undefined) return { ok: true, data, text };
      return {
        ok: true,
        data: { ...data, known: missing.known },
        text: `${text}\n${missing.note}`,
      };
    });
  },
};

async function aim(place: ExistingPlace, filter: Filter, signal: AbortSignal): Promise<Target> {
  const categories = new Map<string, CategoryPlace>();
  let entries = 0;
  for await (const chunk of find(place, filter, signal)) {
    entries += chunk.length;
    for (const { whole } of chunk) {
      if (whole !== undefined) categories.set(wholePrefix(whole), whole);
    }
  }
  return { place, entries, categories: [...categories.values()] };
}

/** What programs that run keep in memory is theirs, and ends with its time. */
async function drop(
  { place: { tier }, categories }: Target,
  filter: Filter,
  options: TierCallOptions,
): Promise<void> {
  const tag = tagOf(filter);
  if (isEmpty(filter)) await tier.clear(options);
  else if (tag !== undefined) await tier.dropTags([tag], options);
  else if (filter.category === undefined) await tier.dropPrefix(`${filter.namespace}/`, options);
  else for (const category of categories) await dropIn(tier, category, filter, options);
  // Nobody might come for long who gives the room back.
  await tier.sweep(options);
}

async function dropIn(
  tier: Tier,
  category: CategoryPlace,
  { prefix }: Filter,
  options: TierCallOptions,
): Promise<void> {
  const begin = wholePrefix(category);
  if (prefix === undefined) {
    await tier.dropPrefix(begin, options);
    return;
  }
  await tier.dropMany([begin + prefix], options);
  await tier.dropPrefix(`${begin}${prefix}:`, options);
}

function whereOf(targets: readonly Target[]): string {
  const parts = targets
    .filter(({ entries }) => entries > 0)
    .map(({ place, entries }) => `${entries.toLocaleString("en")} in ${place.path}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}
