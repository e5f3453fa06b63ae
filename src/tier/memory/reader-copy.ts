/**
 * A value of the cache as one of its readers gets it: dates, bytes, maps and sets are the reader's
 * own, and so is whatever holds them; all else is frozen and shared.
 */

/** @param value a value that `ownCopy` gave, so it is data, and as deep as that allows. */
export function readerCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return copyOfList(value);
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [readerCopy(key), readerCopy(item)]));
  }
  if (value instanceof Set) return new Set([...value].map(readerCopy));
  if (ArrayBuffer.isView(value)) return (value as Exclude<NodeJS.TypedArray, Uint8Array>).slice();
  return copyOfPlain(value as Record<string, unknown>);
}

function copyOfList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const own = readerCopy(list[index]);
    if (own === list[index]) continue;
    copy ??= [...list];
    copy[index] = own;
  }
  return copy === undefined ? list : Object.freeze(copy);
}

function copyOfPlain(value: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== "object" || item === null) continue;
    const own = readerCopy(item);
    if (own === item) continue;
    // A spread copies a property called `__proto__` as well; what holds dates there is rare.
    copy ??= { ...value };
    if (key === "__proto__") Object.defineProperty(copy, key, { value: own, enumerable: true });
    else copy[key] = own;
  }
  return copy === undefined ? value : Object.freeze(copy);
}
