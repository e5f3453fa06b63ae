/** How a declaration that cannot work is refused: one form of message for all of them. */

import { SpringhouseError } from "../core/errors.ts";

/** The error for a bad declaration, naming the entity and, when given, the property. */
export function invalidSchema(
  table: string,
  property: string | undefined,
  reason: string,
): SpringhouseError {
  const where = property === undefined ? "" : `, property "${property}"`;
  return new SpringhouseError("INVALID_SCHEMA", `Entity "${table}"${where}: ${reason}.`, {
    fields: property === undefined ? { table } : { table, property },
  });
}
