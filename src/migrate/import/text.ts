/**
 * The text of a file, chunk by chunk: unpacked by the ending of its name, and refused with the
 * line when it is not UTF-8. A byte order mark is left out.
 */

import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { SpringhouseError } from "../../core/errors.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";

/** As large as the windows that others compress with, `zstd --long` included. */
const ZSTD_WINDOW_LOG = 27;
const LINE_FEED = 10;
/**
 * The items of a chunk live until the last of them is mapped, and V8 lets its young generation grow
 * with what outlives a collection: with four times as much at once, an import takes 30 MB more.
 */
const CHUNK_BYTES = 16_384;

/** For `readText`. */
export interface ReadTextOptions {
  /** Told how many bytes of the file were read with each chunk. Default: none. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * The text of a UTF-8 file in chunks; ".zst" and ".gz" are decompressed.
 *
 * @throws `VALIDATION` when the file is not UTF-8, with the line, or its compression is broken;
 *   `UNOPENABLE` when there is no such file.
 */
export async function* readText(
  path: string,
  { onBytes }: ReadTextOptions = {},
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of readBytes(path, onBytes)) {
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ENCODING_INVALID_ENCODED_DATA") throw error;
    throw await notUtf8(path, error);
  }
}

/**
 * The bytes of a file in chunks; ".zst" and ".gz" are decompressed.
 *
 * @throws `VALIDATION` when its compression is broken, `UNOPENABLE` when there is no such file.
 */
export async function* readBytes(
  path: string,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const unpack = unpackerOf(path);
  const bytes = unpack === undefined ? source : source.pipe(unpack);
  if (unpack !== undefined) source.on("error", (error) => unpack.destroy(error));
  try {
    let told = 0;
    for await (const chunk of bytes) {
      onBytes?.(source.bytesRead - told);
      told = source.bytesRead;
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!/^(Z_|ZSTD_)/.test((error as NodeJS.ErrnoException).code ?? "")) {
      throw toSpringhouseError(error, { path });
    }
    const message = `${path} is not a whole compressed file. Copy it again from where it came.`;
    throw new SpringhouseError("VALIDATION", message, { cause: error, fields: { path } });
  } finally {
    source.destroy();
    unpack?.destroy();
  }
}

type Unpacker = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

function unpackerOf(path: string): Unpacker | undefined {
  if (path.endsWith(".gz")) return createGunzip();
  if (!path.endsWith(".zst")) return undefined;
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
}

async function notUtf8(path: string, cause: unknown): Promise<SpringhouseError> {
  const line = await firstBadLine(path);
  const message =
    `${path}, line ${line}: this is not UTF-8 text. Convert the file, for example with: ` +
    "iconv -f latin1 -t utf-8";
  return new SpringhouseError("VALIDATION", message, { cause, fields: { path, line } });
}

/** Reads the file again, which only a refused one has to bear. */
async function firstBadLine(path: string): Promise<number> {
  let line = 1;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readBytes(path)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, at)) {
      if (!isUtf8(bytes.subarray(at, end))) return line;
      at = end + 1;
      line++;
    }
    rest = bytes.subarray(at);
  }
  return line;
}
