/**
 * The caching of results, loaded when the first function is cached: opening a database and reading
 * a row do not pay for it. It is required, not imported, because `db.cached` is synchronous.
 */

import { createRequire } from "node:module";
import { extname } from "node:path";

type CachingModule = typeof import("./caching.ts");

let loaded: CachingModule | undefined;

/** The module, loaded by the first call. */
export function cachingModule(): CachingModule {
  const path = `./caching${extname(import.meta.filename)}`;
  loaded ??= createRequire(import.meta.url)(path) as CachingModule;
  return loaded;
}
