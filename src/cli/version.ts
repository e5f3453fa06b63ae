/** The version of the package, wherever this was bundled to, and those of Node.js it runs on. */

import { createRequire } from "node:module";

/** Such as "1.2.3". */
export function readVersion(): string {
  const facts: unknown = createRequire(import.meta.url)("springhouse/package.json");
  return (facts as { readonly version: string }).version;
}

/** Whether this Node.js is one that the package runs on: 24.15 or newer. */
export function supportsNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 15);
}
