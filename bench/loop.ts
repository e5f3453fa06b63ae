/**
 * The loops that time reads. Each contender imports this file under a name of its own: functions
 * that all of them shared would be compiled for all of them, and slow for each.
 */

/** What is read: coprime with the number of keys, `stride` leads to all of them by turns. */
export interface Reads<Key> {
  readonly keys: readonly Key[];
  readonly stride: number;
  /** How many. */
  readonly count: number;
}

/** Nanoseconds of one call. */
export function timeSync<Key>(
  { keys, stride, count }: Reads<Key>,
  read: (key: Key) => unknown,
): number {
  let missed = 0;
  const startMs = performance.now();
  for (let index = 0, at = 0; index < count; index++) {
    if (read(keys[at] as Key) === undefined) missed++;
    at += stride;
    if (at >= keys.length) at -= keys.length;
  }
  const ns = ((performance.now() - startMs) * 1e6) / count;
  if (missed > 0) throw new Error(`${missed} of ${count} reads missed`);
  return ns;
}

/** The same for calls that are waited for. */
export async function timeAsync<Key>(
  reads: Reads<Key>,
  read: (key: Key) => Promise<unknown>,
): Promise<number> {
  const startMs = performance.now();
  const missed = await missesOf(reads.keys, reads.stride, reads.count, read);
  const ns = ((performance.now() - startMs) * 1e6) / reads.count;
  if (missed > 0) throw new Error(`${missed} of ${reads.count} reads missed`);
  return ns;
}

/** Apart and bare: an `await` puts away all that its function holds, and takes it out again. */
async function missesOf<Key>(
  keys: readonly Key[],
  stride: number,
  count: number,
  read: (key: Key) => Promise<unknown>,
): Promise<number> {
  let missed = 0;
  for (let left = count, at = 0; left > 0; left--) {
    if ((await read(keys[at] as Key)) === undefined) missed++;
    at += stride;
    if (at >= keys.length) at -= keys.length;
  }
  return missed;
}
