/**
 * A version as an opaque text, for programs that keep it with what they have shown: in a form, in a
 * header, in another process. It comes back from outside, so it is checked on the way in.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { Version } from "./expectation.ts";

/** Texts of other forms are refused instead of misread. */
const FORM = 1;
/** Longer than any text that was made here. */
const CHARACTERS_MAX = 128;
const CONTENT = /^(\d+)\.(\d{1,16})\.(-?\d{1,20})\.(-?\d{1,10})$/;

/** The text of a version. */
export function versionText({ sequence, mark, schemaVersion }: Version): string {
  return Buffer.from(`${FORM}.${sequence}.${mark}.${schemaVersion}`).toString("base64url");
}

/**
 * The version of a text.
 *
 * @param name of the argument, for the message.
 * @throws `INVALID_ARGUMENT` for what `versionText` has not made.
 */
export function parseVersion(name: string, text: unknown): Version {
  const isShort = typeof text === "string" && text.length <= CHARACTERS_MAX;
  const content = isShort ? CONTENT.exec(Buffer.from(text, "base64url").toString("latin1")) : null;
  const [, form, sequence, mark = "", schemaVersion] = content ?? [];
  if (Number(form) === FORM) {
    const version = { sequence: Number(sequence), mark, schemaVersion: Number(schemaVersion) };
    if (versionText(version) === text) return version;
  }
  const message = `${name} must be a text that position() of a database has given.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}
