/**
 * The only place where Kysely is loaded. Everything else imports its types alone, so that opening
 * a database and reading a row by key do not pay for a query builder that they do not use.
 *
 * `#kysely` is the package itself when the sources run, and one bundled chunk in the published
 * package. It is required, not imported, because building a query is synchronous; Node.js gives
 * `require` and `import` the same instance of an ES module.
 */

import { createRequire } from "node:module";

/** The module `kysely`. */
export type KyselyModule = typeof import("kysely");

let loaded: KyselyModule | undefined;

/** Kysely, loaded by the first call. */
export function kyselyModule(): KyselyModule {
  loaded ??= createRequire(import.meta.url)("#kysely") as KyselyModule;
  return loaded;
}
