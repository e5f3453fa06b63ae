/**
 * Masks secrets in the bytes of a text on their way into a copy: in JSON the values of members
 * whose names say that they are secret, whole lists and objects too; in CSV the columns of such
 * names; in any text parameters such as `?token=…` and passwords in URLs. Everything else stays
 * byte for byte.
 *
 * Bytes are taken for characters one by one (latin1), since names of secrets are ASCII. What a
 * secret begins with is held back until it is whole; the secret itself is left out as it comes, so
 * it may have any length.
 */

import { isSecretName, SECRET_ENDING } from "../../core/redact.ts";
import { ColumnMask } from "./mask-columns.ts";
import { HIDDEN, SkippedParameter, type SkippedSecret, SkippedValue } from "./mask-skip.ts";
import type { ImportFormat } from "./source.ts";

/** What a text with a secret has in it somewhere; most chunks of most files have none of it. */
const SUSPECT = new RegExp(SECRET_ENDING, "i");
/** A member with anything but true, false and null. Whether it is secret, its words decide. */
const MEMBER = String.raw`"(?<member>[\w .-]{0,80}${SECRET_ENDING})"\s*:\s*(?=["{[\d-])`;
/** Behind a word it would be the end of it, but the letters of an escape are no word. */
const BOUNDARY = String.raw`(?<![\w.-])(?:(?<=\\)(?:[bfnrt]|u[\da-f]{4}))?`;
const NAME = String.raw`(?<parameter>[\w.-]{0,80}${SECRET_ENDING})`;
const PARAMETER = String.raw`${BOUNDARY}${NAME}=(?=[^\s&;#"',\\])`;
const PASSWORD_IN_URL = /(:\/\/[^\s:/?#@"\\,]*:)[^\s/?#@"\\,]+(?=@)/g;

/**
 * Beginnings of a member, a parameter and a URL with a password at the end of a text, and how far
 * back they are looked for: only the blanks around a colon can be many.
 */
const UNFINISHED = [
  { pattern: /"[\w .-]{0,100}(?:"\s*(?::\s*)?)?$/, within: 65_536 },
  { pattern: /\\?[\w.-]{0,100}=?$/, within: 102 },
  { pattern: /:(?:\/(?:\/[^\s/?#@"\\]*)?)?$/, within: 1_024 },
];

/** The mask of one text. */
export class SecretMask {
  readonly #columns: ColumnMask | undefined;
  readonly #secret: RegExp;
  readonly #format: ImportFormat;
  #rest = "";
  #skipped: SkippedSecret | undefined;
  #count = 0;

  constructor(format: ImportFormat) {
    this.#format = format;
    this.#columns = format === "csv" ? new ColumnMask(HIDDEN) : undefined;
    this.#secret = new RegExp(format === "csv" ? PARAMETER : `${MEMBER}|${PARAMETER}`, "gi");
  }

  /** Secrets masked so far. */
  get count(): number {
    return this.#count + (this.#columns?.count ?? 0);
  }

  /** Takes the next bytes; gives those that are certain. */
  push(bytes: Buffer): Buffer {
    const chunk = bytes.toString("latin1");
    return this.#masked(this.#rest + (this.#columns?.push(chunk) ?? chunk), false);
  }

  /** The bytes that were held back. */
  end(): Buffer {
    return this.#masked(this.#rest, true);
  }

  #masked(text: string, isLast: boolean): Buffer {
    const covered = this.#covered(text, isLast);
    if (!covered.includes("://")) return Buffer.from(covered, "latin1");
    const masked = covered.replace(PASSWORD_IN_URL, (_, before: string) => {
      this.#count++;
      return `${before}${HIDDEN}`;
    });
    return Buffer.from(masked, "latin1");
  }

  /** Without its secrets, up to where one may have begun: the rest is held back. */
  #covered(text: string, isLast: boolean): string {
    const isSuspect = SUSPECT.test(text);
    let covered = "";
    let at = 0;
    for (;;) {
      if (this.#skipped !== undefined) {
        at = this.#skipped.end(text, at);
        if (!this.#skipped.isOver) break;
      }
      this.#skipped = isSuspect ? this.#next(text, at) : undefined;
      if (this.#skipped === undefined) break;
      const { lastIndex } = this.#secret;
      covered += text.slice(at, lastIndex) + this.#skipped.mask;
      at = lastIndex;
    }
    const certain = this.#skipped === undefined ? safeEnd(text.slice(at)) : 0;
    const end = isLast ? text.length : at + certain;
    this.#rest = text.slice(end);
    return covered + text.slice(at, end);
  }

  /** The next secret, which begins at the last index of the pattern. */
  #next(text: string, from: number): SkippedSecret | undefined {
    this.#secret.lastIndex = from;
    for (let found = this.#secret.exec(text); found; found = this.#secret.exec(text)) {
      const { member, parameter = "" } = found.groups ?? {};
      if (!isSecretName(member ?? parameter)) continue;
      this.#count++;
      if (member === undefined) return new SkippedParameter(this.#format === "csv");
      return new SkippedValue(this.#format === "ndjson");
    }
    return undefined;
  }
}

/**
 * A text as the copies of an import have it: with "***" for passwords of URLs, for parameters such
 * as `?token=…` and for the values of secret members of JSON in it.
 *
 * @example maskSecrets("https://app:pw@host/?token=abc") // "https://app:***@host/?token=***"
 */
export function maskSecrets(text: string): string {
  if (!SUSPECT.test(text) && !text.includes("://")) return text;
  const mask = new SecretMask("document");
  const masked = Buffer.concat([mask.push(Buffer.from(text)), mask.end()]);
  return mask.count === 0 ? text : masked.toString();
}

/** Where a text can be cut without cutting what a secret begins with. */
function safeEnd(text: string): number {
  const held = UNFINISHED.map(
    ({ pattern, within }) => pattern.exec(text.slice(-within))?.[0].length ?? 0,
  );
  return text.length - Math.max(...held);
}
