/** The main thread's side of one reader thread. */

import { extname } from "node:path";
import type { CommonRequest, ThreadData } from "./protocol.ts";
import { ThreadLink } from "./thread-link.ts";

/** A running reader thread. */
export type Reader = ThreadLink<CommonRequest>;

/** Starts a reader thread on a file. */
export function startReader(data: Omit<ThreadData, "port">, onDeath: () => void): Reader {
  return new ThreadLink<CommonRequest>(
    new URL(`./reader-thread${extname(import.meta.filename)}`, import.meta.url),
    "reader",
    data,
    { onDeath },
  );
}
