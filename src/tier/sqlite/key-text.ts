/**
 * Keys and tags as texts that SQLite keeps apart.
 *
 * A text of JavaScript may hold halves of a character that UTF-8 has no bytes for, and a NUL, at
 * which some functions of SQLite end a text. Such units are escaped as `U+FFFF` (which is no
 * character either, and is escaped itself) and four digits. Ordinary texts stay as they are, and
 * a text that begins with another still does.
 */

const ESCAPE = "\uffff";
const UNUSUAL = /[\0\uffff]/;
const LONE = /[\0\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ESCAPED = /\uffff([0-9a-f]{4})/g;

/** The text under which a key or a tag is stored. */
export function toStored(text: string): string {
  if (text.isWellFormed() && !UNUSUAL.test(text)) return text;
  return text.replace(LONE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The key or the tag that was stored as `text`. */
export function fromStored(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return text.replace(ESCAPED, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** SQL behind a text: it makes what comes after all that begins with the text. */
export const AFTER_ALL = "|| CAST(X'FF' AS TEXT)";
