/** `springhouse rollup rebuild`: makes rollups anew while programs go on. */

import { counted } from "../cache/places.ts";
import { type CommandDefinition, countOf } from "../command.ts";
import { ProgressLine } from "../progress.ts";
import { withRollups } from "./rollups.ts";

export const rollupRebuild: CommandDefinition = {
  name: "rollup rebuild",
  summary: "Make rollups anew while programs go on; an interrupted one goes on where it stopped",
  arguments: [{ name: "[names...]", doc: "the rollups; default: all" }],
  options: [
    {
      flags: "--batch-rows <count>",
      doc: "rows of the source in one transaction; default: 5000",
      count: true,
    },
  ],
  examples: ["springhouse rollup rebuild", "springhouse rollup rebuild week_statistics"],
  async run(invocation) {
    const batchRows = countOf(invocation, "batchRows");
    return withRollups(invocation, "write", async (rollups, names) => {
      using line = new ProgressLine(invocation.terminal);
      const results = await rollups.rebuild(names, {
        signal: invocation.terminal.signal,
        onProgress: ({ name, rows, rowsTotal }) =>
          line.show({ label: name, done: rows, total: rowsTotal, unit: "rows" }),
        ...(batchRows === undefined ? {} : { batchRows }),
      });
      const text = results.map(({ name, rows, resumed, repaired }) => {
        const how = resumed ? "went on with" : "rebuilt";
        const made = repaired.length === 0 ? "" : `; made again: ${repaired.join(", ")}`;
        return `${how} ${name}: ${counted(rows, "row", "rows")} counted${made}`;
      });
      return { ok: true, data: { rollups: results }, text: text.join("\n") };
    });
  },
};
