/** `springhouse rollup verify`: rollups against a recount of their sources. */

import type { GroupValues, RollupReport } from "../../rollup/verify.ts";
import type { CommandDefinition } from "../command.ts";
import { withRollups } from "./rollups.ts";

/** Lines for each rollup; `--json` has what `verify` gives. */
const SHOWN_MAX = 10;

export const rollupVerify: CommandDefinition = {
  name: "rollup verify",
  summary: "Compare rollups with a recount; 1 when one is wrong or passed by",
  arguments: [{ name: "[names...]", doc: "the rollups; default: all" }],
  examples: ["springhouse rollup verify", "springhouse rollup verify week_statistics --json"],
  async run(invocation) {
    const { signal } = invocation.terminal;
    return withRollups(invocation, "read", async (rollups, names) => {
      const reports = await rollups.verify(names, { signal });
      const ok = reports.every((report) => report.ok);
      const advice = ok ? [] : ["Run: npx springhouse rollup rebuild"];
      const text = [...reports.flatMap(describe), ...advice].join("\n");
      return { ok, data: { rollups: reports }, text };
    });
  },
};

function describe({ name, ok, problems, wrong, isCut }: RollupReport): readonly string[] {
  if (ok) return [`ok    ${name}`];
  const shown = wrong.slice(0, SHOWN_MAX).map(({ table, key, kept, actual }) => {
    return `      ${table} ${values(key)}: ${values(kept)}, a recount gives ${values(actual)}`;
  });
  const more = wrong.length - shown.length;
  const count = isCut ? "at least " : "";
  return [
    `wrong ${name}`,
    ...problems.map((problem) => `      ${problem}`),
    ...shown,
    ...(more > 0 ? [`      and ${count}${more} more groups`] : []),
  ];
}

function values(group: GroupValues | undefined): string {
  if (group === undefined) return "nothing";
  return Object.entries(group)
    .map(([name, value]) => `${name} = ${String(value)}`)
    .join(", ");
}
