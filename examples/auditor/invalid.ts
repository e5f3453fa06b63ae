/** The one way in which the auditor says that a value cannot be used. */

import { SpringhouseError } from "springhouse";

/** A `VALIDATION` error; `reason` completes the sentence that begins with the value. */
export function invalid(value: unknown, reason: string): SpringhouseError {
  return new SpringhouseError("VALIDATION", `${JSON.stringify(value)} ${reason}.`, {
    issues: [{ path: [], message: reason }],
    fields: { value },
  });
}

/** The reason alone, without the value, so that equal reasons can be counted. */
export function reasonOf(error: SpringhouseError): string {
  return error.issues[0]?.message ?? error.message;
}
