/**
 * Diagnostics: named channels of Node's `diagnostics_channel`, which cost one property read when
 * nobody listens. Payloads never carry parameter values, so that no secret reaches a log.
 *
 * @example
 * import { subscribe } from "node:diagnostics_channel";
 * subscribe("springhouse:query", (event) => console.log(event));
 */

import { channel } from "node:diagnostics_channel";

/** A statement was run: `{ sql, ms, rows, where }`; `where` is "inline", "reader" or "writer". */
export const queryChannel: ReturnType<typeof channel> = channel("springhouse:query");
/** A statement took longer than the threshold: `{ sql, ms, rows, where }`. */
export const slowQueryChannel: ReturnType<typeof channel> = channel("springhouse:slow-query");
/** Something is wrong that is not an error of a call: `{ code, message, fields }`. */
export const warningChannel: ReturnType<typeof channel> = channel("springhouse:warning");

/** What `warningChannel` carries. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Publishes a warning; when nobody listens it goes to `process.emitWarning`. */
export function warn(code: string, message: string, fields: Warning["fields"] = {}): void {
  if (warningChannel.hasSubscribers) warningChannel.publish({ code, message, fields });
  else process.emitWarning(message, { type: "SpringhouseWarning", code });
}
