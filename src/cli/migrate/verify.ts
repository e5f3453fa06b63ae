/** `springhouse migrate verify`: ledger, files, database and entities against each other. */

import type { CommandDefinition } from "../command.ts";
import { withMigrator } from "./migrator.ts";

export const migrateVerify: CommandDefinition = {
  name: "migrate verify",
  summary: "Compare the ledger, the files, the database and the entities; 1 when they differ",
  examples: ["springhouse migrate verify", "springhouse migrate verify --json"],
  async run(invocation) {
    return withMigrator(invocation, "read", async (migrator) => {
      const { ok, problems, notes } = await migrator.verify();
      const lines = [
        ...problems.map(({ code, message }) => `${code}: ${message}`),
        ...notes.map((note) => `note: ${note}`),
        ok ? "Everything agrees." : found(problems.length),
      ];
      return { ok, data: { ok, problems, notes }, text: lines.join("\n") };
    });
  },
};

function found(problems: number): string {
  return problems === 1 ? "1 problem was found." : `${problems} problems were found.`;
}
