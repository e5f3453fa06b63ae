/**
 * Masks secrets in the bytes of a JSON text on their way: the values of members whose names say
 * that they are secret, and passwords in URLs. Everything else stays byte for byte.
 *
 * Bytes are taken for characters one by one (latin1), since names of secrets are ASCII and a value
 * is replaced whole. What may go on in the next chunk is held back.
 */

import { isSecretName } from "../../core/redact.ts";

const HIDDEN = '"***"';
/** What a text with a secret has in it somewhere; most chunks of most files have none of it. */
const SUSPECT =
  /token|passw|passphrase|pwd|secret|credential|(?:api|access|private|encryption)[_-]?key/i;
/** Endings that a secret name can have; whether it is one, its words decide. */
const ENDINGS = "token|password|passwd|passphrase|pwd|secret|credential|key";
const VALUE = String.raw`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*`;
/** A member with a text or a number. */
const MEMBER = new RegExp(String.raw`"([\w-]{0,80}(?:${ENDINGS}))"(\s*:\s*)(?:${VALUE})`, "gi");
const PASSWORD_IN_URL = /(:\/\/[^\s:/?#@"\\]*:)[^\s/?#@"\\]+(?=@)/g;
/** A member that has begun and whose end is not there yet; a name alone may become one. */
const UNFINISHED = /"([\w-]{0,90})(?:"(?:\s*(?::\s*(?:"(?:[^"\\]|\\.)*\\?|-?[\d.eE+-]*)?)?)?)?$/;
/** A URL whose user and password may not be whole. */
const UNFINISHED_URL = /:(?:\/(?:\/[^\s/?#@"\\]*)?)?$/;
/** Longer than any name that is looked for, its quote included. */
const NAME_MAX = 100;
/** A user and a password in a URL are not longer together. */
const HELD_URL_MAX = 1_024;
/** A secret longer than this is no secret but a document. */
const HELD_BACK_MAX = 1_048_576;

/** The mask of one text. */
export class SecretMask {
  #rest = "";
  #count = 0;

  /** Secrets masked so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes; gives those that are certain. */
  push(bytes: Buffer): Buffer {
    const text = this.#rest + bytes.toString("latin1");
    const end = safeEnd(text);
    this.#rest = text.slice(end);
    return this.#masked(text.slice(0, end));
  }

  /** The bytes that were held back. */
  end(): Buffer {
    const text = this.#rest;
    this.#rest = "";
    return this.#masked(text);
  }

  #masked(text: string): Buffer {
    const isSuspect = SUSPECT.test(text);
    if (!isSuspect && !text.includes("://")) return Buffer.from(text, "latin1");
    const covered = isSuspect ? this.#coverMembers(text) : text;
    const masked = covered.replace(PASSWORD_IN_URL, (_, before: string) => {
      this.#count++;
      return `${before}***`;
    });
    return Buffer.from(masked, "latin1");
  }

  #coverMembers(text: string): string {
    return text.replace(MEMBER, (all: string, name: string, colon: string) => {
      if (!isSecretName(name)) return all;
      this.#count++;
      return `"${name}"${colon}${HIDDEN}`;
    });
  }
}

/**
 * Where a text can be cut without cutting a secret. Without a suspicious word only a name that is
 * not whole yet can become one, and that is short.
 */
function safeEnd(text: string): number {
  const from = SUSPECT.test(text) ? 0 : Math.max(0, text.length - NAME_MAX);
  const tail = text.slice(from);
  const url = UNFINISHED_URL.exec(text.slice(-HELD_URL_MAX))?.[0].length ?? 0;
  const end = Math.min(text.length - url, from + unfinishedMember(tail));
  return text.length - end > HELD_BACK_MAX ? text.length : end;
}

function unfinishedMember(text: string): number {
  const found = UNFINISHED.exec(text);
  if (found === null) return text.length;
  const [, name = ""] = found;
  const isWhole = text.charAt(found.index + name.length + 1) === '"';
  return isWhole && !isSecretName(name) ? text.length : found.index;
}
