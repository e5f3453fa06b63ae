/**
 * Texts that keep nothing alive but themselves, and what they take of the heap.
 *
 * V8 makes a part of a text, from 13 letters on, a reference to the whole one, and a sum of texts a
 * pair of references: a title that was cut out of a page would keep the page. Nothing tells such a
 * text from another, so every one that is kept is written into a buffer and read back.
 */

/** Header of a text: map, hash and length. */
const STRING_BYTES = 16;
const WORD_BYTES = 8;
/** There is only one of each of these, if it has one byte. */
const SHARED_LENGTH_MAX = 1;
/** V8 copies shorter parts. */
const SLICE_LENGTH_MIN = 13;
/** Longer texts get a buffer of their own. */
const SCRATCH_LENGTH_MAX = 4_096;
const scratch = Buffer.allocUnsafeSlow(2 * SCRATCH_LENGTH_MAX);
/** V8 stores a text with one byte for each character when all of them fit. */
const TWO_BYTES = /[^\p{ASCII}\u0080-\u00ff]/u;

/** A text, and its heap bytes. */
export interface OwnText {
  readonly text: string;
  readonly bytes: number;
}

/** The same text, on its own, and its heap bytes. About 0.1 µs for a short one. */
export function ownText(text: string): OwnText {
  const oneByte = isOneByte(text);
  const { length } = text;
  if (oneByte && length <= SHARED_LENGTH_MAX) return { text, bytes: 0 };
  const bytes = textBytes(text, oneByte);
  if (length < SLICE_LENGTH_MIN) return { text, bytes };
  const encoding = oneByte ? "latin1" : "utf16le";
  const buffer =
    length <= SCRATCH_LENGTH_MAX ? scratch : Buffer.allocUnsafeSlow(oneByte ? length : 2 * length);
  const written = buffer.write(text, 0, encoding);
  return { text: buffer.toString(encoding, 0, written), bytes };
}

/** Heap bytes of a text. */
export function textBytes(text: string, oneByte: boolean = isOneByte(text)): number {
  const bytes = STRING_BYTES + (oneByte ? text.length : 2 * text.length);
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;
}

function isOneByte(text: string): boolean {
  return !TWO_BYTES.test(text);
}
