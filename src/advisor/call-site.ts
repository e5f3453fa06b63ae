/**
 * Where in the application a statement comes from: the first place on the stack that is neither
 * Node's, nor ours, nor that of an installed package.
 */

import { fileURLToPath } from "node:url";

/** Frames of async functions are part of it; between the application and us are about twenty. */
const FRAMES_MAX = 50;
/** The folder of our files: built, they stand at its top and not in folders. */
const OURS = import.meta.dirname.replace(/[\\/]advisor$/, "");
const PLACE = /\(?((?:file:\/\/)?\/[^()]*|[A-Za-z]:[^()]*|file:\/\/[^()]*):(\d+):\d+\)?$/;

/** `file:line` of the caller; undefined when the stack does not reach the application. */
export function callSite(): string | undefined {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = before;
  for (const frame of stack.split("\n").slice(1)) {
    const [, place, line] = PLACE.exec(frame.trim()) ?? [];
    if (place === undefined || line === undefined) continue;
    const path = place.startsWith("file:") ? fileURLToPath(place) : place;
    if (path.startsWith(OURS) || /[\\/]node_modules[\\/]/.test(path)) continue;
    return `${path}:${line}`;
  }
  return undefined;
}
