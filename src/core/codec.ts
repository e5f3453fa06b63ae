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
 * Encodes a value.
 *
 * @throws `INVALID_ARGUMENT` with the path of what is not data: a function, a symbol, an instance
 * of a class, a cycle.
 */
export function encodeValue(value: unknown): EncodedValue {
  if (value instanceof Uint8Array) return { codec: "bytes", bytes: value };
  const plain = isPlainJson(value, 0);
  const text = JSON.stringify(plain ? value : toTree(value, []));
  return { codec: plain ? "json" : "structured", bytes: Buffer.from(text) };
}

/** Decodes a value. @throws `CORRUPT` when the bytes are not what the codec says. */
export function decodeValue(codec: string, bytes: Uint8Array): unknown {
  try {
    if (codec === "bytes") return Uint8Array.from(bytes);
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

type Path = readonly (string | number)[];

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
  const inner = (item: unknown, key: string | number): unknown => toTree(item, [...path, key]);
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Date) return { $: "date", v: value.getTime() };
  if (value instanceof Map) {
    return { $: "map", v: [...value].map(([key, item], at) => [inner(key, at), inner(item, at)]) };
  }
  if (value instanceof Set) return { $: "set", v: [...value].map(inner) };
  if (value instanceof Uint8Array) return { $: "bytes", v: base64(value) };
  for (const [name, type] of Object.entries(ARRAY_TYPES)) {
    if (value instanceof type) return { $: "array", t: name, v: base64(value) };
  }
  if (!isPlainObject(value)) throw notData(value, path);
  const entries = Object.entries(value).map(([key, item]) => [key, inner(item, key)] as const);
  if (Object.hasOwn(value, "$")) return { $: "object", v: entries };
  return Object.fromEntries(entries);
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
      return Number(value);
    case "bigint":
      return BigInt(String(value));
    case "undefined":
      return undefined;
    case "date":
      return new Date(value === null ? Number.NaN : Number(value));
    case "map":
      return new Map((fromTree(value) as [unknown, unknown][]).map(([key, item]) => [key, item]));
    case "set":
      return new Set(fromTree(value) as unknown[]);
    case "bytes":
      return Uint8Array.from(Buffer.from(String(value), "base64"));
    case "array":
      return typedArray(type, Uint8Array.from(Buffer.from(String(value), "base64")));
    case "object":
      return Object.fromEntries(
        (value as [string, unknown][]).map(([key, item]) => [key, fromTree(item)]),
      );
    default:
      throw corrupt(`There is no kind "${kind}" of value.`);
  }
}

function typedArray(name: string, bytes: Uint8Array<ArrayBuffer>): TypedArray {
  if (!Object.hasOwn(ARRAY_TYPES, name)) throw corrupt(`There is no kind "${name}" of array.`);
  return new ARRAY_TYPES[name as keyof typeof ARRAY_TYPES](bytes.buffer);
}

function notData(value: unknown, path: Path): SpringhouseError {
  const where = path.length === 0 ? "The value" : `The value at ${path.slice(0, 8).join(".")}`;
  const what =
    path.length >= DEPTH_MAX
      ? "is nested too deeply, or contains itself"
      : typeof value === "object"
        ? `is an instance of ${value?.constructor?.name ?? "a class"}`
        : `is a ${typeof value}`;
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${where} ${what}. A cache keeps data: plain objects, lists, texts, numbers, bytes, dates, ` +
      "maps and sets.",
    { fields: { path } },
  );
}
