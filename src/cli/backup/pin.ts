/** `springhouse backup pin`: keeps a backup whatever the rules of retention say. */

import { type CommandDefinition, isGiven, textOf } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { isPostgres } from "./postgres.ts";

export const backupPin: CommandDefinition = {
  name: "backup pin",
  summary: "Keep a backup whatever the rules of retention say, or no longer",
  arguments: [{ name: "<name>", doc: "the backup" }],
  options: [
    { flags: "--reason <text>", doc: "why, for whoever finds it" },
    { flags: "--remove", doc: "take the pin away" },
  ],
  examples: ["springhouse backup pin before-move", "springhouse backup pin before-move --remove"],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const { directory } = config.backup;
    const [name = ""] = invocation.words;
    const pinned = !isGiven(invocation, "remove");
    const reason = textOf(invocation, "reason") ?? "";
    const pin = isPostgres(config.database.url)
      ? (await import("../../backup/postgres-retention.ts")).pinPostgresDump
      : (await import("../../backup/pin.ts")).pinBackup;
    await pin({ directory, name, pinned, reason });
    const text = pinned ? `pinned ${name}` : `${name} is no longer pinned`;
    return { ok: true, data: { name, pinned }, text };
  },
};
