/** `springhouse migrate status`: what has been applied and what has not. */

import type { MigrationState } from "../../migrate/migrator.ts";
import type { CommandDefinition } from "../command.ts";
import { formatTable } from "../table.ts";
import { withMigrator } from "./migrator.ts";

export const migrateStatus: CommandDefinition = {
  name: "migrate status",
  summary: "List the migrations and what became of them; 1 unless all are applied",
  examples: ["springhouse migrate status", "springhouse migrate status --json"],
  async run(invocation) {
    return withMigrator(invocation, "look", async (migrator) => {
      const status = await migrator.status();
      const { upToDate, version, migrations, pending } = status;
      const summary = upToDate
        ? `Up to date at version ${version}.`
        : `Version ${version}, ${[`${pending.length} pending`, ...wrong(migrations)].join(", ")}.`;
      const table = migrations.length === 0 ? [] : [tableOf(migrations)];
      return { ok: upToDate, data: { ...status }, text: [...table, summary].join("\n") };
    });
  },
};

/** What stands in the way, or is not finished, beside what is pending. */
function wrong(migrations: readonly MigrationState[]): readonly string[] {
  const words = { data: "with data steps to finish", changed: "changed", unknown: "unknown" };
  return Object.entries(words).flatMap(([state, what]) => {
    const count = migrations.filter((migration) => migration.state === state).length;
    return count === 0 ? [] : [`${count} ${what}`];
  });
}

function tableOf(migrations: readonly MigrationState[]): string {
  return formatTable(
    [{ title: "version", align: "right" }, { title: "name" }, { title: "state" }, { title: "at" }],
    migrations.map(({ version, name, state, appliedAt }) => [
      String(version),
      name,
      state,
      appliedAt?.toISOString() ?? "",
    ]),
  );
}
