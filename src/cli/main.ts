#!/usr/bin/env node
/**
 * The command `springhouse`. `--version` is answered before anything else is loaded, and an old
 * Node.js is told so; everything else is in `process.ts`.
 *
 * This file and what it imports statically must load on any Node.js with modules: a name that an
 * old one does not export would be a SyntaxError instead of the message.
 */

import module from "node:module";
import { readVersion, supportsNode } from "./version.ts";

const [first, ...rest] = process.argv.slice(2);
const { node } = process.versions;

if ((first === "--version" || first === "-V") && rest.length === 0) {
  process.stdout.write(`${readVersion()}\n`);
} else if (!supportsNode(node)) {
  process.stderr.write(`Springhouse needs Node.js 24.15 or newer, this is ${node}.\n`);
  process.exitCode = 1;
} else {
  module.enableCompileCache();
  const { runInProcess } = await import("./process.ts");
  process.exitCode = await runInProcess();
}
