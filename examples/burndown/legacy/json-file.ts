/** Reads one JSON file of the old application, and says in which line it is broken. */

import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { parseJson, TooLargeNumber } from "../exact-json.ts";
import { momentOf } from "../moments.ts";
import { lineAt } from "./locate.ts";

/** A file that was read. */
export interface JsonFile {
  readonly text: string;
  readonly value: unknown;
  /** When it was last written, for what has no moment of its own. */
  readonly writtenAt: string;
}

/** Why a file cannot be read. */
export class BrokenFile extends Error {
  override readonly name = "BrokenFile";
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

/**
 * Reads a file; undefined when there is none.
 *
 * @throws `BrokenFile` when it is a folder, not UTF-8 or not JSON.
 */
export function readJsonFile(path: string): JsonFile | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    if (code === "EISDIR") throw new BrokenFile(1, "is a folder, not a file");
    throw error;
  }
  const text = textOf(bytes);
  return { text, value: parse(text), writtenAt: momentOf(Math.floor(statSync(path).mtimeMs)) };
}

function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8").replace(/^\uFEFF/, "");
  const lines = bytes.toString("latin1").split("\n");
  const line = lines.findIndex((each) => !isUtf8(Buffer.from(each, "latin1"))) + 1;
  const isWide = bytes[0] === 0xff || bytes[0] === 0xfe || bytes[1] === 0;
  const hint = isWide ? "It looks like UTF-16; save" : "Save";
  throw new BrokenFile(Math.max(1, line), `is not UTF-8. ${hint} the file as UTF-8`);
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof TooLargeNumber) {
      throw new BrokenFile(lineAt(text, text.indexOf(error.source)), `has ${error.message}`);
    }
    const message = (error as Error).message;
    const line = lineAt(text, offsetOf(text, message));
    // V8 repeats the text and the place, which stand beside the message already.
    const reason = message.replace(/(?:, "| in JSON at position|, \.\.\.").*$/s, "");
    throw new BrokenFile(line, `is not JSON: ${reason}`);
  }
}

/**
 * Where a text stops being JSON. V8 says it for most errors; for a wrong token it is the end of
 * the shortest beginning of the text that has the same error.
 */
function offsetOf(text: string, message: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (!message.startsWith("Unexpected token")) return text.length;
  let [good, bad] = [0, text.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (hasWrongToken(text.slice(0, middle))) bad = middle;
    else good = middle;
  }
  return good;
}

function hasWrongToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith("Unexpected token");
  }
}
