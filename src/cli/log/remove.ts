/** `springhouse log remove`: takes the log of changes and its triggers out of a file. */

import { SELECT_TRIGGERS } from "../../capture/altered-table.ts";
import { logTriggersOf, removeLog } from "../../capture/log-removal.ts";
import { HAS_LOG } from "../../capture/log-tables.ts";
import type { Session } from "../../store/store.ts";
import { counted } from "../cache/places.ts";
import { type CommandDefinition, isGiven } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";
import { loadSettings, openStore, refuseMissingFile } from "../settings.ts";

/** What there is to remove. */
interface Found {
  readonly triggers: readonly string[];
  readonly rows: number;
}

export const logRemove: CommandDefinition = {
  name: "log remove",
  summary: "Take the log of changes and its triggers out of the file, until something is cached",
  options: [
    { flags: "--dry-run", doc: "only say what would be removed" },
    { flags: "--yes", doc: "agree" },
  ],
  examples: [
    "springhouse log remove --dry-run",
    "springhouse log remove --url sqlite:app.db --yes",
  ],
  async run(invocation) {
    const dryRun = isGiven(invocation, "dryRun");
    const config = await loadSettings(invocation);
    await refuseMissingFile(config);
    await using store = await openStore(config, { readOnly: dryRun });
    const found = await find(store);
    if (found === undefined) {
      const text = "There is no log of changes in the file.";
      return { ok: true, data: { dryRun, triggers: [], rows: 0 }, text };
    }
    const rows = counted(found.rows, "row", "rows");
    const triggers = counted(found.triggers.length, "trigger", "triggers");
    const what = `the log of changes with ${rows}, and ${triggers}`;
    if (dryRun) {
      const text = `This would remove ${what}. Nothing was done.`;
      return { ok: true, data: { dryRun, ...found }, text };
    }
    await confirm(invocation, `This removes ${what}. What was cached is computed again.`);
    await store.transaction(async (tx) => {
      const now = (await find(tx)) ?? found;
      await tx.write(removeLog(now.triggers).map((sql) => ({ sql, parameters: [] })));
    });
    const again = "The next cached read of a program that may write makes it again.";
    return { ok: true, data: { dryRun, ...found }, text: `Removed ${what}. ${again}` };
  },
};

async function find(session: Pick<Session, "read">): Promise<Found | undefined> {
  const ask = async (sql: string) => (await session.read({ sql, parameters: [] })).rows;
  const triggers = logTriggersOf(await ask(SELECT_TRIGGERS));
  const hasLog = (await ask(HAS_LOG)).length > 0;
  if (!hasLog && triggers.length === 0) return undefined;
  const [[rows] = []] = hasLog ? await ask("SELECT count(*) FROM springhouse_log") : [];
  return { triggers, rows: Number(rows ?? 0) };
}
