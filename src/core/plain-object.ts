/**
 * Plain objects: `{ … }`, and what JSON or a `vm` context make of it. What has a class keeps its
 * data elsewhere (a `Map`, a `Date`, a promise, a getter), where nobody would find it.
 */

/** Whether it is an object whose own properties are all there is to it. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || isForeignPlain(prototype);
}

/** Whether this is the `Object.prototype` of another realm, such as a `vm` context. */
function isForeignPlain(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "valueOf");
}
