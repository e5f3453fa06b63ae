/** Sizes as people write them ("10MB"), as bytes inside. Units are powers of 1,024. */

import { SpringhouseError } from "./errors.ts";
import { shown } from "./shown.ts";

/** A number of bytes, or a text such as `"100KB"`, `"10MB"`, `"1.5GB"`, `"unlimited"`. */
export type ByteSize = number | string;

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;
const FORM = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB)$/i;

/**
 * Bytes of a size; `"unlimited"` is `Infinity`.
 *
 * @param name what is being parsed, for the message.
 * @throws `INVALID_ARGUMENT` when the value is negative or not a size.
 */
export function parseBytes(value: ByteSize, name: string): number {
  if (typeof value === "number" && value >= 0) return value;
  if (value === "unlimited") return Number.POSITIVE_INFINITY;
  const match = typeof value === "string" ? FORM.exec(value.trim()) : null;
  if (match !== null) {
    const power = UNITS.indexOf((match[2] ?? "").toUpperCase() as (typeof UNITS)[number]);
    return Math.round(Number(match[1]) * 1_024 ** power);
  }
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `${name}: ${shown(value)} is not a size. ` +
      'Give bytes as a number, or a text such as "100KB", "10MB", "1.5GB", "unlimited".',
    { fields: { name, value } },
  );
}

/** A size for people: "812 B", "4.0 KB", "12.3 MB". */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return "unlimited";
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const amount = bytes / 1_024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${UNITS[power]}`;
}
