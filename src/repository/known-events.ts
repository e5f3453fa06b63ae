/**
 * The names that events can have: those of the entities' rows. Which events a program raises itself
 * is told by types alone, so a program that has declared some may use any name.
 */

import { assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import type { Scope } from "./scope.ts";

/** @throws `INVALID_ARGUMENT` for a name under which nothing would ever be heard. */
export function refuseUnknownEvent({ models, hasOwnEvents }: Scope, name: string): void {
  assertText("the name of an event", name);
  if (hasOwnEvents || models.rowEvents.includes(name)) return;
  const known = models.rowEvents;
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const list = known.length === 0 ? "There are no entities." : `Known: ${known.join(", ")}.`;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `No entity raises the event "${name}".${hint} ${list} Events of the program's own take the ` +
      "option events of open: eventTypes<{ … }>().",
    { fields: { event: name, known } },
  );
}
