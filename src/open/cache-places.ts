/**
 * The tiers of the cache that outlast a process, as the configuration names them: where each is,
 * and how it is opened. A tier that is new to the configuration is entered in `OPENERS`.
 */

import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Tier } from "../tier/tier.ts";

/** The names of the tiers, the faster first. */
const PLACE_NAMES = ["sqlite", "file"] as const;
type PlaceName = (typeof PLACE_NAMES)[number];

/** Where a cache is kept. */
export interface CachePlace {
  readonly name: PlaceName;
  /** A file or a folder. */
  readonly path: string;
  open(clock: Clock): Promise<Tier>;
}

type Opener = (config: Config["cache"], clock: Clock) => Promise<Tier>;

const OPENERS: Readonly<Partial<Record<PlaceName, Opener>>> = {};

/** The places that are switched on. Nothing is opened. */
export function cachePlaces({ cache }: Config): readonly CachePlace[] {
  const settings = {
    sqlite: { isOn: cache.sqlite.enabled, path: cache.sqlite.path },
    file: { isOn: cache.files.enabled, path: cache.files.directory },
  };
  return PLACE_NAMES.flatMap((name) => {
    const { isOn, path } = settings[name];
    const opener = OPENERS[name];
    if (!isOn || opener === undefined) return [];
    return [{ name, path, open: (clock) => opener(cache, clock) }];
  });
}
