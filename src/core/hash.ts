/**
 * A hash of texts that asks nothing of `node:crypto`, whose loading alone is a noticeable part of a
 * program's start.
 *
 * FNV-1a (Fowler, Noll, Vo) over the code units, in four lanes with their own beginnings, each
 * finished by the mixer of MurmurHash3 (Appleby). It tells texts apart that differ by chance, not
 * texts that somebody made to collide: what must withstand that takes SHA-256.
 */

const FNV_PRIME = 0x01000193;
/** Four unlike beginnings: FNV's own, and the fractions of the square roots of 2, 3 and 5. */
const BEGINNINGS = [0x811c9dc5, 0x6a09e667, 0xbb67ae85, 0x3c6ef372];

/** Thirty-two hexadecimal digits, the same for the same text on every machine. */
export function hashText(text: string): string {
  return BEGINNINGS.map((beginning) =>
    (hash32(text, beginning) >>> 0).toString(16).padStart(8, "0"),
  ).join("");
}

/** One lane: 32 bits of the text, another for every `beginning`. */
export function hash32(text: string, beginning: number): number {
  let bits = beginning;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), FNV_PRIME);
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
