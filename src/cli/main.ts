#!/usr/bin/env node
/**
 * The command `springhouse`. `--version` is answered before anything else is loaded; everything
 * else is in `process.ts`.
 */

import { enableCompileCache } from "node:module";
import { readVersion } from "./version.ts";

const [first, ...rest] = process.argv.slice(2);

if ((first === "--version" || first === "-V") && rest.length === 0) {
  process.stdout.write(`${readVersion()}\n`);
} else {
  enableCompileCache?.();
  const { runInProcess } = await import("./process.ts");
  process.exitCode = await runInProcess();
}
