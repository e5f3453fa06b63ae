/**
 * The text of a migration file. Text in another encoding is refused before anything of it is used:
 * decoded as UTF-8 it would put other letters into the database, and nobody would notice.
 */

import { isUtf8 } from "node:buffer";
import { invalid } from "./sql-script.ts";

const NEWLINE = 0x0a;

/**
 * The text of a file.
 *
 * @param source the file's path, for the message.
 * @throws `MIGRATION_INVALID` naming line and byte of what is not UTF-8.
 */
export function decodeText(bytes: Buffer, source: string): string {
  const mark = bytes.toString("hex", 0, 2);
  if (mark === "fffe" || mark === "feff") {
    throw invalid(source, 0, "it is written in UTF-16; save it as UTF-8");
  }
  const text = bytes.toString("utf8");
  if (!isUtf8(bytes)) {
    const at = firstDifference(bytes, Buffer.from(text, "utf8"));
    const byte = `0x${(bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0")}`;
    const message = `byte ${at} of the file, ${byte}, is not UTF-8; save the file as UTF-8`;
    throw invalid(source, lineAt(bytes, at), message);
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    const message = `byte ${nul} of the file is NUL, which ends a text for SQLite; take it out`;
    throw invalid(source, lineAt(bytes, nul), `${message}, or save the file as UTF-8`);
  }
  return text;
}

/** What is not UTF-8 was decoded to a mark, which comes back as other bytes. */
function firstDifference(bytes: Buffer, decoded: Buffer): number {
  return bytes.findIndex((byte, index) => byte !== decoded[index]);
}

function lineAt(bytes: Buffer, at: number): number {
  return bytes.subarray(0, at).reduce((line, byte) => (byte === NEWLINE ? line + 1 : line), 1);
}
