/** The main thread's side of one reader thread. */

import { extname } from "node:path";
import type { FileData, ReaderRequest } from "./protocol.ts";
import { ThreadLink } from "./thread-link.ts";

/** A running reader thread. */
export type Reader = ThreadLink<ReaderRequest>;

/** Starts a reader thread on a file; resolves when the file is open. */
export async function startReader(data: FileData, onDeath: () => void): Promise<Reader> {
  const reader = new ThreadLink<ReaderRequest>(
    new URL(`./reader-thread${extname(import.meta.filename)}`, import.meta.url),
    "reader",
    data,
    { onDeath },
  );
  try {
    await reader.request({ kind: "open" });
    return reader;
  } catch (error) {
    await reader.close({ kind: "close" });
    throw error;
  }
}
