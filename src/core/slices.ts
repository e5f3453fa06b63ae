/**
 * Long work on the main thread in short slices, so that no call holds the event loop however much
 * it has to do: decoding a hundred thousand rows, checking them, telling of them.
 *
 * All work of a turn of the event loop shares one slice of a few milliseconds: twenty callers with
 * a slice each would hold the loop as one caller with a long one does. Who finds the slice used up
 * waits for a later turn. Those that wait go on in the order in which they came, as many in a turn
 * as its slice has room for, and who is not done then waits behind the others: a short job is held
 * up by a long one for as many slices as there are jobs before it, and not for the whole of it.
 *
 * `await` alone does not give way: when the awaited value is there already, the turn goes on. What
 * runs between two looks at the clock has to be short by itself, as one row is; so the first item
 * of a list never waits.
 */

import { throwIfAborted } from "./abort.ts";

/** Work of one turn; timers and messages wait as long at most, with some room for the rest. */
const SLICE_MS_MAX = 4;

/**
 * Those that wait for a turn; no call waits twice at once. Two lists, the first one at the end of
 * `leaving`, because taking the first of thousands would move all the others.
 */
let arriving: (() => void)[] = [];
let leaving: (() => void)[] = [];
let startMs: number | undefined;

/** Whether the work of this turn has lasted long enough: `await nextSlice()` before going on. */
export function isSliceOver(): boolean {
  const nowMs = performance.now();
  if (startMs === undefined) begin(nowMs);
  return nowMs - (startMs ?? nowMs) >= SLICE_MS_MAX;
}

/**
 * Resolves in a later turn, at the beginning of a slice.
 *
 * @throws `ABORTED` when the signal has fired; `what` names what it gives up.
 */
export async function nextSlice(signal?: AbortSignal, what = "The call"): Promise<void> {
  await new Promise<void>((resolve) => {
    arriving.push(resolve);
    if (startMs === undefined) begin(performance.now());
  });
  throwIfAborted(signal, what);
}

/** What `change` makes of each item, in order. */
export async function mapInSlices<From, To>(
  items: Iterable<From>,
  change: (item: From) => To,
  signal?: AbortSignal,
): Promise<To[]> {
  const results: To[] = [];
  for (const item of items) {
    if (results.length > 0 && isSliceOver()) await nextSlice(signal);
    results.push(change(item));
  }
  return results;
}

/**
 * The same with the results at once when one slice is enough, for callers who rely on that.
 *
 * @param pause waits for the next slice.
 */
export function mapAtOnce<From, To>(
  items: Iterable<From>,
  change: (item: From) => To,
  pause: () => Promise<void> = () => nextSlice(),
): To[] | Promise<To[]> {
  const iterator = items[Symbol.iterator]();
  const results: To[] = [];
  let next = iterator.next();
  const run = (): boolean => {
    for (let isFirst = true; next.done !== true; isFirst = false) {
      if (!isFirst && isSliceOver()) return false;
      results.push(change(next.value));
      next = iterator.next();
    }
    return true;
  };
  if (run()) return results;
  const goOn = async (): Promise<To[]> => {
    do await pause();
    while (!run());
    return results;
  };
  return goOn();
}

/** Calls `work` with each item, in order, and waits for what it promises. */
export async function forEachInSlices<Item>(
  items: Iterable<Item>,
  work: (item: Item) => void | Promise<void>,
): Promise<void> {
  let isFirst = true;
  for (const item of items) {
    if (!isFirst && isSliceOver()) await nextSlice();
    isFirst = false;
    const promised = work(item);
    if (promised !== undefined) await promised;
  }
}

function begin(nowMs: number): void {
  startMs = nowMs;
  setImmediate(endTurn);
}

function endTurn(): void {
  startMs = undefined;
  releaseNext();
}

/** Lets one go on, and the one behind it when that was short. */
function releaseNext(): void {
  if (leaving.length === 0) {
    leaving = arriving.reverse();
    arriving = [];
  }
  if (leaving.length === 0 || isSliceOver()) return;
  leaving.pop()?.();
  // A tick that a microtask asks for comes when no microtask is left, those of the released too.
  queueMicrotask(() => process.nextTick(releaseNext));
}
