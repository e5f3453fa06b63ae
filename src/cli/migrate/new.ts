/** `springhouse migrate new`: a numbered file, from the difference to the entities or empty. */

import { relative } from "node:path";
import type { NewOptions } from "../../migrate/migrator.ts";
import { type CommandDefinition, isGiven, textsOf, usageError } from "../command.ts";
import { withMigrator } from "./migrator.ts";

export const migrateNew: CommandDefinition = {
  name: "migrate new",
  summary: "Write a migration for review, from the difference to the entities",
  arguments: [{ name: "<name>", doc: "what it does, in a few words" }],
  options: [
    { flags: "--empty", doc: "write an empty migration" },
    { flags: "--ts", doc: "write TypeScript instead of SQL" },
    {
      flags: "--rename <from=to...>",
      doc: "a table or column that got a new name: tasks.name=title",
    },
  ],
  examples: [
    "springhouse migrate new add_score",
    "springhouse migrate new rename_title --rename tasks.name=title",
    "springhouse migrate new backfill_score --empty --ts",
  ],
  async run(invocation) {
    const [name = ""] = invocation.words;
    const renames = textsOf(invocation, "rename").map(parseRename);
    return withMigrator(invocation, "look", async (migrator, config) => {
      const difference = config.entities !== undefined && config.migrations.autoGenerate;
      const options: NewOptions = {
        from: difference && !isGiven(invocation, "empty") ? "difference" : "empty",
        format: isGiven(invocation, "ts") ? "ts" : "sql",
        renames,
      };
      const written = await migrator.new(name, options);
      const { cwd } = invocation.terminal;
      const lines = [
        ...written.paths.map((path) => `wrote ${relative(cwd, path)}`),
        ...written.changes.map((change) => `  ${change}`),
        ...written.hints.map((hint) => `hint: ${hint}`),
        ...(written.changes.length === 0 ? [emptyBecause(options)] : []),
        "Review it, then: npx springhouse migrate up",
      ];
      return { ok: true, data: { ...written }, text: lines.join("\n") };
    });
  },
};

/** A file without statements is no mistake, but it must not look like one that has some. */
function emptyBecause({ from }: NewOptions): string {
  if (from === "empty") return "It is empty: fill it in.";
  return "It is empty: the database is as the entities declare it. Fill it in, or delete it.";
}

function parseRename(text: string): NonNullable<NewOptions["renames"]>[number] {
  const [, table, column, to] = /^([^.=]+)(?:\.([^.=]+))?=([^.=]+)$/.exec(text) ?? [];
  if (table === undefined || to === undefined) {
    throw usageError(`--rename ${text}: give table=name or table.column=name.`);
  }
  return column === undefined ? { table, to } : { table, column, to };
}
