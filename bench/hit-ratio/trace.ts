/**
 * Access traces of others, in the formats in which they are handed around. The format is told by
 * the beginning of the file's name, the compression by its end.
 *
 * | name | what is inside |
 * |---|---|
 * | `arc_…` | text, `startBlock nBlocks …` a line: so many consecutive keys |
 * | `lirs_…` | text, one integer a line; `*` and blank lines are skipped |
 * | `cache2k_…` | big-endian 32-bit integers |
 * | `corda_…` | big-endian 64-bit integers |
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { BenchInputError } from "../bench.ts";

/** The largest window that `zstd --ultra --long` uses for these files. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** The accesses in their order. */
export interface Trace {
  /** Keys, renumbered from 0 in the order of their first access. */
  readonly keys: Int32Array;
  readonly uniqueKeys: number;
}

type Format = (bytes: Buffer) => Iterable<number | bigint>;

const FORMATS: Readonly<Record<string, Format>> = {
  arc: arcKeys,
  lirs: lirsKeys,
  cache2k: cache2kKeys,
  corda: cordaKeys,
};

/** Reads a whole trace. Throws when the name tells of no known format. */
export function readTrace(path: string): Trace {
  const name = basename(path);
  const format = FORMATS[name.slice(0, name.indexOf("_"))];
  if (format === undefined) {
    const known = Object.keys(FORMATS).map((prefix) => `${prefix}_`);
    throw new BenchInputError(`${path}: the name must begin with one of ${known.join(", ")}.`);
  }
  return renumbered(format(decompressed(path)));
}

function decompressed(path: string): Buffer {
  const bytes = readFileSync(path);
  if (path.endsWith(".gz")) return gunzipSync(bytes);
  if (!path.endsWith(".zst")) return bytes;
  return zstdDecompressSync(bytes, {
    params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
  });
}

function renumbered(keys: Iterable<number | bigint>): Trace {
  const numbers = new Map<number | bigint, number>();
  let accesses = new Int32Array(1_024);
  let length = 0;
  for (const key of keys) {
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
    }
    if (length === accesses.length) {
      const longer = new Int32Array(length * 2);
      longer.set(accesses);
      accesses = longer;
    }
    accesses[length++] = number;
  }
  return { keys: accesses.subarray(0, length), uniqueKeys: numbers.size };
}

function* arcKeys(bytes: Buffer): Generator<number> {
  for (const line of lines(bytes)) {
    const [start = Number.NaN, blocks = Number.NaN] = line.split(" ", 2).map(Number);
    for (let block = 0; block < blocks; block++) yield start + block;
  }
}

function* lirsKeys(bytes: Buffer): Generator<number> {
  for (const line of lines(bytes)) {
    if (line !== "*") yield Number(line);
  }
}

function* cache2kKeys(bytes: Buffer): Generator<number> {
  for (let at = 0; at + 4 <= bytes.length; at += 4) yield bytes.readInt32BE(at);
}

function* cordaKeys(bytes: Buffer): Generator<bigint> {
  for (let at = 0; at + 8 <= bytes.length; at += 8) yield bytes.readBigInt64BE(at);
}

/** The lines that are not blank. */
function* lines(bytes: Buffer): Generator<string> {
  for (const line of bytes.toString("latin1").split("\n")) {
    const text = line.trim();
    if (text !== "") yield text;
  }
}
