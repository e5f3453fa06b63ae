/**
 * Values as bytes and back: data, never code.
 *
 * Bytes stay bytes, plain JSON stays JSON, and everything else that is data (dates, maps, sets,
 * big integers, typed arrays, `undefined`, NaN, -0) is JSON in which such a value is an object
 * with the key `$`. What is read back may come from anywhere, so decoding builds data only, and
 * what does not fit throws.
 */

import { SpringhouseError } from "./errors.ts";

/** How bytes are to be read. */
export type CodecName = "bytes" | "json" | "structured";

/** A value as bytes. */
export interface EncodedValue {
  readonly codec: CodecName;
  readonly bytes: Uint8Array;
}

/** Nesting beyond this is a cycle or a mistake. */
const DEPTH_MAX = 500;
/** A list with more holes is a map in disguise, and each hole costs as much as a value. */
const HOLES_MAX = 10_000;
/** So many steps of a path are enough to find what it leads to. */
export const PATH_STEPS_SHOWN = 8;

type TypedArray = Exclude<NodeJS.TypedArray, Uint8Array>;

const ARRAY_TYPES = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/**
 * Encodes a value. The bytes are nobody else's: the caller may change its own afterwards.
 *
 * Holes of a list become `undefined`; symbols as keys and further properties of a list are left
 * out, as JSON leaves them out.
 *
 * @throws `INVALID_ARGUMENT` with the path of what is not data: a function, a symbol, an instance
 * of a class, a cycle; and for a value beyond what one text can hold (512 MB).
 */
export function encodeValue(value: unknown): EncodedValue {
  if (isBytes(value)) return { codec: "bytes", bytes: new Uint8Array(value) };
  const plain = isPlainJson(value, 0);
  const text = stringify(plain ? value : toTree(value, []));
  return { codec: plain ? "json" : "structured", bytes: Buffer.from(text) };
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Of plain data, only the length of the text can fail.
    throw new SpringhouseError("INVALID_ARGUMENT", "The value is too large to be encoded.", {
      cause: error,
    });
  }
}

/** Decodes a value. @throws `CORRUPT` when the bytes are not what the codec says. */
export function decodeValue(codec: string, bytes: Uint8Array): unknown {
  try {
    if (codec === "bytes") return new Uint8Array(bytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    if (codec === "json") return JSON.parse(text);
    if (codec === "structured") return fromTree(JSON.parse(text));
  } catch (error) {
    throw corrupt(`The bytes are not ${codec}.`, error);
  }
  throw corrupt(`There is no codec "${codec}".`);
}

function corrupt(message: string, cause?: unknown): SpringhouseError {
  return new SpringhouseError("CORRUPT", message, { cause });
}

/** Whether JSON keeps the value as it is. */
function isPlainJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    if (!isInstanceOf(value, Array) || "toJSON" in value) return false;
    for (let index = 0; index < value.length; index++) {
      if (!isPlainJson(value[index], depth + 1)) return false;
    }
    return true;
  }
  if (!isPlainObject(value)) return false;
  for (const key of Object.keys(value)) {
    if (!isPlainJson(value[key], depth + 1)) return false;
  }
  return typeof value["toJSON"] !== "function";
}

/** Whether it is an object of keys and values and no instance of anything. */
function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Whether it is an instance of the class itself: a subclass would come back as its base. */
function isInstanceOf(value: object, type: { readonly prototype: object }): boolean {
  return Object.getPrototypeOf(value) === type.prototype;
}

/** `Buffer` is the one subclass whose meaning is that of its base. */
function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array && (isInstanceOf(value, Uint8Array) || isInstanceOf(value, Buffer))
  );
}

/** Whether it is bytes, or an array of a kind that is read back as it was. */
export function isTypedArray(value: object): value is NodeJS.TypedArray {
  return isBytes(value) || Object.values(ARRAY_TYPES).some((type) => isInstanceOf(value, type));
}

/** Where in the value we are; one list that grows and shrinks, since most paths are never told. */
type Path = (string | number)[];

function toTree(value: unknown, path: Path): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: "number", v: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $: "bigint", v: String(value) };
    case "undefined":
      return { $: "undefined" };
    case "object":
      return value === null ? null : objectToTree(value, path);
    default:
      throw notData(value, path);
  }
}

function objectToTree(value: object, path: Path): unknown {
  if (path.length >= DEPTH_MAX) throw notData(value, path);
  const inner = (item: unknown, key: string | number): unknown => {
    path.push(key);
    const tree = toTree(item, path);
    path.pop();
    return tree;
  };
  if (Array.isArray(value) && isInstanceOf(value, Array)) return listToTree(value, path, inner);
  if (isInstanceOf(value, Date)) return { $: "date", v: (value as Date).getTime() };
  if (isInstanceOf(value, Map)) {
    const pairs = [...(value as Map<unknown, unknown>)];
    return { $: "map", v: pairs.map(([key, item], at) => [inner(key, at), inner(item, at)]) };
  }
  if (isInstanceOf(value, Set)) return { $: "set", v: [...(value as Set<unknown>)].map(inner) };
  if (isBytes(value)) return { $: "bytes", v: base64(value) };
  for (const [name, type] of Object.entries(ARRAY_TYPES)) {
    if (isInstanceOf(value, type)) return { $: "array", t: name, v: base64(value as TypedArray) };
  }
  if (!isPlainObject(value)) throw notData(value, path);
  const entries = Object.entries(value).map(([key, item]) => [key, inner(item, key)] as const);
  if (Object.hasOwn(value, "$")) return { $: "object", v: entries };
  return Object.fromEntries(entries);
}

function listToTree(
  list: readonly unknown[],
  path: Path,
  inner: (item: unknown, index: number) => unknown,
): unknown[] {
  const tree: unknown[] = [];
  let holes = 0;
  for (let index = 0; index < list.length; index++) {
    if (!(index in list) && ++holes > HOLES_MAX) throw notData(list, path, "has too many holes");
    tree.push(inner(list[index], index));
  }
  return tree;
}

function base64(value: NodeJS.TypedArray): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

function fromTree(tree: unknown): unknown {
  if (typeof tree !== "object" || tree === null) return tree;
  if (Array.isArray(tree)) return tree.map(fromTree);
  if (Object.hasOwn(tree, "$")) return fromTagged(tree as Tagged);
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, fromTree(item)]));
}

interface Tagged {
  readonly $: string;
  readonly t?: string;
  readonly v?: unknown;
}

function fromTagged({ $: kind, t: type = "", v: value }: Tagged): unknown {
  switch (kind) {
    case "number":
      return Number(textOf(value));
    case "bigint":
      return BigInt(textOf(value));
    case "undefined":
      return undefined;
    case "date":
      return new Date(value === null ? Number.NaN : numberOf(value));
    case "map":
      return new Map(pairsOf(value).map(([key, item]) => [fromTree(key), fromTree(item)]));
    case "set":
      return new Set(listOf(value).map(fromTree));
    case "bytes":
      return new Uint8Array(Buffer.from(textOf(value), "base64"));
    case "array":
      return typedArray(type, new Uint8Array(Buffer.from(textOf(value), "base64")));
    case "object":
      return Object.fromEntries(
        pairsOf(value).map(([key, item]) => [textOf(key), fromTree(item)] as const),
      );
    default:
      throw corrupt(`There is no kind ${JSON.stringify(kind)} of value.`);
  }
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw corrupt("A text was expected.");
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value !== "number") throw corrupt("A number was expected.");
  return value;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw corrupt("A list was expected.");
  return value;
}

function pairsOf(value: unknown): [unknown, unknown][] {
  return listOf(value).map((pair) => {
    const [key, item, ...more] = listOf(pair);
    if (more.length > 0) throw corrupt("A pair was expected.");
    return [key, item];
  });
}

function typedArray(name: string, bytes: Uint8Array<ArrayBuffer>): TypedArray {
  if (!Object.hasOwn(ARRAY_TYPES, name)) throw corrupt(`There is no kind "${name}" of array.`);
  return new ARRAY_TYPES[name as keyof typeof ARRAY_TYPES](bytes.buffer);
}

function notData(value: unknown, path: Path, why?: string): SpringhouseError {
  const shown = path.slice(0, PATH_STEPS_SHOWN).join(".");
  const where = path.length === 0 ? "The value" : `The value at ${shown}`;
  const what =
    why ??
    (path.length >= DEPTH_MAX
      ? "is nested too deeply, or contains itself"
      : typeof value === "object"
        ? `is an instance of ${value?.constructor?.name ?? "a class"}`
        : `is a ${typeof value}`);
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${where} ${what}. A cache keeps data: plain objects, lists, texts, numbers, bytes, dates, ` +
      "maps and sets.",
    { fields: { path: [...path] } },
  );
}
