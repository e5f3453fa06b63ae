/** What all restores say about the database whose place they take. */

import { existsSync } from "node:fs";
import type { Replaced } from "../../backup/restore.ts";
import { formatBytes } from "../../core/bytes.ts";
import type { Invocation } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";

/** Asks before a database is replaced. */
export async function confirmReplacing(
  invocation: Invocation,
  name: string,
  url: string,
): Promise<void> {
  const { parseLocation } = await import("../../sqlite/location.ts");
  const location = parseLocation(url);
  if (location.kind !== "file" || !existsSync(location.path)) return;
  await confirm(
    invocation,
    `${name} takes the place of ${location.path}, which is backed up first.`,
  );
}

/** A line about what was there before. */
export function describeReplaced(replaced: Replaced, database: string, dryRun: boolean): string {
  switch (replaced.state) {
    case "absent":
      return `there ${dryRun ? "is" : "was"} no ${database}`;
    case "kept": {
      const size = formatBytes(replaced.sizeBytes);
      if (dryRun) return `would back up what is there first, ${size}`;
      return `backed up what was there, ${size}, as ${replaced.backup ?? ""}`;
    }
    case "damaged":
      if (dryRun) return `would set what is there aside: ${replaced.why}`;
      return `set what was there aside as ${replaced.aside}: ${replaced.why}`;
  }
}
