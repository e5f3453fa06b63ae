/**
 * Another process with a file tier on the same folder: it does what its parent asks, or writes
 * without end until it is killed.
 */

import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { Tier, TierEntry } from "../../../src/tier/tier.ts";

/** A call of a method of the tier, and its number. */
export interface Call {
  readonly id: number;
  readonly method:
    | "getMany"
    | "setMany"
    | "dropMany"
    | "dropTags"
    | "dropPrefix"
    | "clear"
    | "sweep";
  readonly argument: unknown;
}

const KEYS = 50;
const BYTES_MAX = 200_000;

/** A value that tells whether it is whole. */
export function checkedValue(round: number): { round: number; text: string } {
  return { round, text: `${round},`.repeat(1 + ((round * 7_919) % (BYTES_MAX / 8))) };
}

/** The keys that are written without end. */
export const KEYS_WRITTEN: readonly string[] = Array.from({ length: KEYS }, (_, at) => `key ${at}`);

const [folder, mode] = process.argv.slice(2);
if (folder !== undefined) {
  const tier = fileTier({ folder, compression: "none" });
  if (mode === "write") await writeWithoutEnd(tier);
  else serve(tier);
}

async function writeWithoutEnd(tier: Tier): Promise<never> {
  for (let round = process.pid; ; round++) {
    const nowMs = Date.now();
    const entries = Array.from(
      { length: 8 },
      (_, at): TierEntry => ({
        key: KEYS_WRITTEN[(round * 8 + at) % KEYS] ?? "",
        value: checkedValue(round + at),
        category: "general",
        createdMs: nowMs,
        freshUntilMs: nowMs + 3_600_000,
        keepUntilMs: nowMs + 3_600_000,
        slidingMs: 0,
        tags: [`tag ${at}`],
        loadMs: 0,
        etag: undefined,
      }),
    );
    await tier.setMany(entries);
    if (round % 5 === 0) await tier.dropTags([`tag ${round % 8}`]);
    if (round % 7 === 0) await tier.dropMany([KEYS_WRITTEN[round % KEYS] ?? ""]);
    process.send?.("written");
  }
}

function serve(tier: Tier): void {
  process.on("message", async ({ id, method, argument }: Call) => {
    try {
      const work = tier[method].bind(tier) as (argument: unknown) => Promise<unknown>;
      process.send?.({ id, value: await work(argument) });
    } catch (error) {
      process.send?.({ id, error: String(error) });
    }
  });
  process.send?.({ id: 0 });
}
