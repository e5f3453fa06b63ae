/**
 * The loops that time reads. Each contender imports this file under a name of its own: functions
 * that all of them shared would be compiled for all of them, and slow for each.
 */

/** Coprime with the number of keys, so that every key is read and none twice in a row. */
const STRIDE = 617;

/** Nanoseconds of one call. */
export function timeSync(
  keys: readonly number[],
  count: number,
  read: (key: number) => unknown,
): number {
  let missed = 0;
  const startMs = performance.now();
  for (let index = 0, at = 0; index < count; index++) {
    if (read(keys[at] as number) === undefined) missed++;
    at += STRIDE;
    if (at >= keys.length) at -= keys.length;
  }
  const ns = ((performance.now() - startMs) * 1e6) / count;
  if (missed > 0) throw new Error(`${missed} of ${count} reads missed`);
  return ns;
}

/** The same for calls that are waited for. */
export async function timeAsync(
  keys: readonly number[],
  count: number,
  read: (key: number) => Promise<unknown>,
): Promise<number> {
  let missed = 0;
  const startMs = performance.now();
  for (let index = 0, at = 0; index < count; index++) {
    if ((await read(keys[at] as number)) === undefined) missed++;
    at += STRIDE;
    if (at >= keys.length) at -= keys.length;
  }
  const ns = ((performance.now() - startMs) * 1e6) / count;
  if (missed > 0) throw new Error(`${missed} of ${count} reads missed`);
  return ns;
}
