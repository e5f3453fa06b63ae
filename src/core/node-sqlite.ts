/**
 * Node's SQLite, asked for when a database is opened and not when a module is loaded: an import
 * would end an older Node.js with "No such built-in module" before anybody could say what to do.
 */

import { SpringhouseError } from "./errors.ts";

type Load = (name: "node:sqlite") => typeof import("node:sqlite") | undefined;

/**
 * The module `node:sqlite`.
 *
 * @param load how it is loaded; what an older Node.js lacks too.
 * @throws `SQLITE_TOO_OLD` when this Node.js has none.
 */
export function nodeSqlite(
  load: Load | undefined = process.getBuiltinModule,
): typeof import("node:sqlite") {
  const found = load?.("node:sqlite");
  if (found !== undefined) return found;
  const { node } = process.versions;
  const message = `Springhouse needs Node.js 24.15 or newer, this is ${node}.`;
  throw new SpringhouseError("SQLITE_TOO_OLD", message, { fields: { node, needed: "24.15.0" } });
}
