/** What the cache commands share: the tiers that outlast a process, opened where they exist. */

import { existsSync } from "node:fs";
import { systemClock } from "../../core/clock.ts";
import type { CachePlace } from "../../open/cache-places.ts";
import type { Tier } from "../../tier/tier.ts";
import type { Invocation } from "../command.ts";
import { loadSettings } from "../settings.ts";

/** A tier of the configuration. */
export interface OpenPlace {
  readonly name: string;
  readonly path: string;
  /** `undefined` while nothing has been kept there: looking must not make a file. */
  readonly tier: Tier | undefined;
}

/** A place that exists. */
export type ExistingPlace = OpenPlace & { readonly tier: Tier };

/**
 * Runs `use` with the places of the configuration, and closes them afterwards.
 *
 * @param purpose whoever only looks is refused what opening would set aside.
 */
export async function withPlaces<T>(
  invocation: Invocation,
  purpose: "look" | "change",
  use: (places: readonly OpenPlace[]) => Promise<T>,
): Promise<T> {
  const config = await loadSettings(invocation);
  const { cachePlaces } = await import("../../open/cache-places.ts");
  await using opened = new AsyncDisposableStack();
  const places: OpenPlace[] = [];
  for (const place of cachePlaces(config)) {
    places.push(await open(place, purpose, opened));
  }
  return await use(places);
}

/** Those that exist. */
export function existing(places: readonly OpenPlace[]): readonly ExistingPlace[] {
  return places.filter((place): place is ExistingPlace => place.tier !== undefined);
}

async function open(
  place: CachePlace,
  purpose: "look" | "change",
  opened: AsyncDisposableStack,
): Promise<OpenPlace> {
  const { name, path } = place;
  if (!existsSync(path)) return { name, path, tier: undefined };
  if (purpose === "look") await place.inspect();
  return { name, path, tier: opened.use(await place.open(systemClock)) };
}

/** For people: how many of something. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
