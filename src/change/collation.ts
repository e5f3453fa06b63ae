/**
 * The order of texts in SQLite's own collating sequences, over a file in UTF-8. All three compare
 * bytes: of the texts as they are (`binary`), with ASCII letters folded (`nocase`), or without the
 * spaces at the end (`rtrim`). So each is a normal form first, and then the order of bytes.
 *
 * Over a file in UTF-16 only the normal forms hold: `binary` orders the bytes of UTF-16 there, the
 * low ones first in most files, so that "\u0100" comes before "A".
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { isDoubtful } from "./value.ts";

/**
 * The form that is one for all texts that the collating sequence calls equal; undefined when that
 * cannot be told, because the text is doubtful or the sequence is a program's own.
 */
export function normalText(text: string, collation: string): string | undefined {
  if (isDoubtful(text)) return undefined;
  switch (collation) {
    case "binary":
      return text;
    case "nocase":
      return lowerAscii(text);
    case "rtrim":
      return withoutSpacesAtEnd(text);
    default:
      return undefined;
  }
}

/** Spaces only: a tab at the end counts. */
function withoutSpacesAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === " ") end--;
  return text.slice(0, end);
}

/** The order of two well-formed texts by their bytes in UTF-8, which is that of code points. */
export function compareText(one: string, other: string): number {
  if (one === other) return 0;
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const left = one.charCodeAt(at);
    const right = other.charCodeAt(at);
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return one.length - other.length;
}

/** A surrogate stands for a code point above all those that are one unit. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
