/** The version of the package, from its own `package.json`, wherever this file was bundled to. */

import { createRequire } from "node:module";

/** Such as "1.2.3". */
export function readVersion(): string {
  const facts: unknown = createRequire(import.meta.url)("springhouse/package.json");
  return (facts as { readonly version: string }).version;
}
