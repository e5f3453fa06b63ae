/**
 * Who looks on as the statements of one request are asked for. A watch sees texts and values in the
 * call itself, where the stack still tells who asks; it must pass no values on.
 *
 * Without a watch this costs one look at a number.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Statement } from "./statement.ts";

/** Is told of each statement before it runs. */
export type StatementWatch = (statement: Statement) => void;

const watches = new AsyncLocalStorage<StatementWatch>();
let running = 0;

/** Runs `run`, and tells `watch` of every statement that it and what it calls ask for. */
export async function watchStatements<T>(watch: StatementWatch, run: () => Promise<T>): Promise<T> {
  const outer = watches.getStore();
  const both: StatementWatch = (statement) => {
    watch(statement);
    outer?.(statement);
  };
  running++;
  try {
    return await watches.run(both, run);
  } finally {
    running--;
  }
}

/** Tells the watch of the running code, when there is one. */
export function noteStatement(statement: Statement): void {
  if (running > 0) watches.getStore()?.(statement);
}
