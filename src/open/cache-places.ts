/**
 * The tiers of the cache that outlast a process, as the configuration names them: where each is,
 * and how it is opened. A tier that is new to the configuration is entered in `OPENERS`.
 */

import { stat } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Compression } from "../tier/payload.ts";
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
  /**
   * Throws for what is there and cannot be opened as it is: something else, or what opening would
   * set aside.
   */
  inspect(): Promise<void>;
}

type Opener = (config: Config["cache"], clock: Clock) => Promise<Tier>;

const OPENERS: Readonly<Record<PlaceName, Opener>> = {
  sqlite: async ({ sqlite }, clock) => {
    const { sqliteTier } = await import("../tier/sqlite/sqlite-tier.ts");
    const { path, maxTotalSize, cacheSize } = sqlite;
    return sqliteTier({ path, maxBytes: maxTotalSize, cacheSize, clock });
  },
  file: async ({ files }, clock) => {
    const { fileTier } = await import("../tier/file/file-tier.ts");
    return fileTier({
      folder: files.directory,
      maxEntryBytes: files.maxFileSize,
      maxBytes: files.maxTotalSize,
      compression: files.compression === "auto" ? bestCompression() : files.compression,
      clock,
    });
  },
};

const INSPECTORS: Readonly<Record<PlaceName, (path: string) => Promise<void>>> = {
  sqlite: async (path) => {
    const { assertSound } = await import("../tier/sqlite/cache-file.ts");
    await assertSound(path);
  },
  file: async (path) => {
    if ((await stat(path)).isDirectory()) return;
    const message = `${path} is no folder, so no files can be kept there. Move it away.`;
    throw new SpringhouseError("UNOPENABLE", message, { fields: { path } });
  },
};

/** lz4 where it is installed. */
function bestCompression(): Compression {
  try {
    import.meta.resolve("lz4-napi");
    return "lz4";
  } catch {
    return "zstd";
  }
}

/** The places that are switched on. Nothing is opened. */
export function cachePlaces({ cache }: Config): readonly CachePlace[] {
  const settings = {
    sqlite: { isOn: cache.sqlite.enabled, path: cache.sqlite.path },
    file: { isOn: cache.files.enabled, path: cache.files.directory },
  };
  return PLACE_NAMES.flatMap((name) => {
    const { isOn, path } = settings[name];
    const open = (clock: Clock): Promise<Tier> => OPENERS[name](cache, clock);
    return isOn ? [{ name, path, open, inspect: () => INSPECTORS[name](path) }] : [];
  });
}
