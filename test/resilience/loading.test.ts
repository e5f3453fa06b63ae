/** What is imported when, seen from outside of the process that imports it. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const INDEX = join(import.meta.dirname, "../../src/resilience/index.ts");

/** Names the packages that a program loads, in front of what it prints itself. */
const WATCH = `
  import { registerHooks } from "node:module";
  const seen = new Set();
  registerHooks({ load: (url, context, next) => {
    const [, name] = /node_modules\\/([^/]+)/.exec(url) ?? [];
    if (name !== undefined && !seen.has(name)) console.log("loads " + name);
    seen.add(name);
    return next(url, context);
  } });
`;

async function outputOf(program: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=springhouse-source",
    "--import",
    `data:text/javascript,${encodeURIComponent(WATCH)}`,
    "--input-type=module",
    "--eval",
    `import { guard, rateLimited } from ${JSON.stringify(INDEX)};\n${program}`,
  ]);
  return stdout.trim().split("\n");
}

it("cockatiel and the limiter are loaded by the first call that needs them", async () => {
  const output = await outputOf(`
    const category = { getOrSet: (key, load) => load({}) };
    const guarded = guard({ retry: {} });
    const limited = rateLimited(category, { points: 1, per: "1m" });
    console.log("made", guarded.state);
    console.log(await guarded.execute(() => "called"));
    console.log(await limited("a", 1, () => "limited"));
  `);

  expect(output).toEqual([
    "made closed",
    "loads cockatiel",
    "called",
    "loads rate-limiter-flexible",
    "limited",
  ]);
});
