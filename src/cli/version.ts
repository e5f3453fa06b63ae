/** The version of the package, whose package.json lies two folders up, published or not. */

import { readFileSync } from "node:fs";

/** Such as "1.2.3". */
export function readVersion(): string {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}
