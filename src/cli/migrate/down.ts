/** `springhouse migrate down`: reverts the newest migrations. */

import { labelOf } from "../../migrate/files.ts";
import type { DownOptions, MigrationName } from "../../migrate/migrator.ts";
import { type CommandDefinition, countOf, usageError } from "../command.ts";
import { backUp } from "./back-up.ts";
import { confirm } from "./confirm.ts";
import { describeRun, withMigrator } from "./migrator.ts";

export const migrateDown: CommandDefinition = {
  name: "migrate down",
  summary: "Revert the newest migrations, one unless said otherwise",
  options: [
    { flags: "--steps <count>", doc: "how many to revert", count: true },
    { flags: "--to <version>", doc: "revert all after this version", count: true },
    { flags: "--yes", doc: "agree that data may be lost" },
    { flags: "--no-backup", doc: "make no backup before" },
  ],
  examples: [
    "springhouse migrate down --yes",
    "springhouse migrate down --steps 2",
    "springhouse migrate down --to 0 --yes",
  ],
  async run(invocation) {
    const to = countOf(invocation, "to");
    const steps = countOf(invocation, "steps");
    if (to !== undefined && steps !== undefined) {
      throw usageError("--steps and --to say the same in two ways. Give one of them.");
    }
    const options: DownOptions = {
      ...(to === undefined ? {} : { to }),
      ...(steps === undefined ? {} : { steps }),
      signal: invocation.terminal.signal,
    };
    const backups: string[] = [];
    const beforeDestructive = async (migrations: readonly MigrationName[]): Promise<void> => {
      const names = migrations.map(labelOf).join(", ");
      await confirm(invocation, `This reverts ${names} and loses what was added.`);
      backups.push(...(await backUp(invocation)));
    };
    return withMigrator(
      invocation,
      "revert",
      async (migrator) => {
        const run = await migrator.down(options);
        return { ok: true, data: { ...run, backups }, text: describeRun(run, backups) };
      },
      { beforeDestructive },
    );
  },
};
