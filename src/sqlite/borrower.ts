/** Who took a connection: the frames of the program, without ours and without Node's. */

import { fileURLToPath } from "node:url";

/** Enough to get past our own frames, whatever the way in was. */
const FRAMES_LOOKED_AT = 50;
const FRAMES_SHOWN = 10;
/** `src/` in the repository, `dist/` in the package; all code of ours lies below it. */
const OURS = fileURLToPath(
  new URL(import.meta.url.includes("/src/") ? ".." : ".", import.meta.url),
);
const NOT_THEIRS = [OURS, "node:", "(<anonymous>)"];

/** The stack of the code that called the library; all of it when nothing but ours is on it. */
export function borrowerStack(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_LOOKED_AT;
  const frames = (new Error().stack ?? "").split("\n").slice(2);
  Error.stackTraceLimit = limit;
  const theirs = frames.filter((frame) => !NOT_THEIRS.some((text) => frame.includes(text)));
  return (theirs.length > 0 ? theirs : frames).slice(0, FRAMES_SHOWN).join("\n");
}
