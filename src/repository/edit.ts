/** Changes of a row across requests: they rest on what the row was at a position that was kept. */

import type { Expectation } from "../change/expectation.ts";
import type { Atom } from "../change/footprint.ts";
import type { StoredValue } from "../change/value.ts";
import { parseVersion } from "../change/version-text.ts";
import { SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { SqlValue } from "../store/store.ts";
import type { Model } from "./model.ts";

/**
 * That a row, in all tables that it is spread over, is as it was at a position.
 *
 * @throws `INVALID_ARGUMENT` for what is not a position.
 */
export function unchangedSince(model: Model, key: unknown, since: string): Expectation {
  const version = parseVersion("since", since);
  const values = model.keyValues(key);
  const atoms = model.parts.map(
    (part): Atom => ({
      table: lowerAscii(part.facts.table),
      columns: "all",
      predicate: {
        kind: "and",
        parts: part.key.map(({ column }, at) => ({
          kind: "compare",
          column: lowerAscii(column.name),
          operator: "=",
          value: exactly(values[at] ?? null),
        })),
      },
    }),
  );
  return { version, atoms };
}

/** The error for an edit whose position is given and undefined. */
export function lostPosition(method: string, entity: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${method} of "${entity}": since is undefined, so that the position has got lost on its way. ` +
      "Pass what position() gave before the row was read, or leave the option out to write " +
      "whatever has become of the row.",
    { fields: { name: "since", method, entity } },
  );
}

/** As images have it: equal to the stored value, whatever class that has. */
function exactly(value: SqlValue): StoredValue {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}
