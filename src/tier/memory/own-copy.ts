/**
 * A copy of a value that nobody outside can change, and what it takes of the heap.
 *
 * Plain objects and lists are copied and frozen, so that a hit hands out the very same object
 * without copying again. Dates, bytes, maps and sets cannot be frozen: a value that holds one is
 * copied for every reader. The sizes are those of V8's objects on 64-bit Node.js (no pointer
 * compression), held by tests to within 5 % of the heap's growth for all kinds of values.
 */

import { isTypedArray, PATH_STEPS_SHOWN } from "../../core/codec.ts";
import { SpringhouseError } from "../../core/errors.ts";
import {
  bytesOf,
  indexesBytes,
  isIndex,
  isInherited,
  knownShape,
  newObject,
} from "./own-object.ts";
import { ownText } from "./own-text.ts";
import { MAP_SLOT_BYTES, SET_SLOT_BYTES } from "./table-size.ts";

/** A value that belongs to the cache. */
export interface OwnCopy {
  readonly value: unknown;
  /** Heap bytes, estimated. */
  readonly bytes: number;
  /** Whether readers get a copy each, since the value cannot be frozen. */
  readonly changeable: boolean;
}

const isOwn = Object.prototype.hasOwnProperty;

/** Nesting beyond this is a cycle or a mistake. */
const DEPTH_MAX = 500;

const WORD_BYTES = 8;
/** Map, properties and elements pointers. */
const OBJECT_BYTES = 3 * WORD_BYTES;
/** An object and its length. */
const ARRAY_BYTES = OBJECT_BYTES + WORD_BYTES;
/** Header of the store of an array's elements. */
const ELEMENTS_BYTES = 2 * WORD_BYTES;
/** A number that is no small integer is an object of its own. */
const HEAP_NUMBER_BYTES = 2 * WORD_BYTES;
/** Header of a large integer, and the bits of each of its words. */
const BIGINT_BYTES = 2 * WORD_BYTES;
const WORD_BITS = 64;
/** Bits of a hexadecimal digit. */
const DIGIT_BITS = 4;
const DATE_BYTES = 12 * WORD_BYTES;
/** An ArrayBuffer, its view and its backing store. */
const BUFFER_BYTES = 25 * WORD_BYTES;
/** Up to this length bytes lie on the heap, behind a header. */
const HEAP_BUFFER_MAX = 64;
/** Map and Set: the object and the header of its table. */
const COLLECTION_BYTES = 9 * WORD_BYTES;
/** Tables have a power of two of slots, and are doubled when they are full. */
const SLOTS_MIN = 4;

/** Copies a value for the cache. @throws `INVALID_ARGUMENT` for what is not data. */
export function ownCopy(value: unknown): OwnCopy {
  return copied(value, false);
}

/**
 * As `ownCopy`, for the one who keeps the copy: with the bytes of the names of properties and of
 * the hidden classes that came into the process with it.
 */
export function keptCopy(value: unknown): OwnCopy {
  return copied(value, true);
}

function copied(value: unknown, isKept: boolean): OwnCopy {
  const copier = new Copier(isKept);
  const copy = copier.copy(value, 0);
  return { value: copy, bytes: copier.bytes, changeable: copier.changeable };
}

class Copier {
  bytes = 0;
  changeable = false;
  /** Where the copy is: a step for each level, those below the present one are left over. */
  readonly #path: unknown[] = [];
  readonly #isKept: boolean;

  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string": {
        const { text, bytes } = ownText(value);
        this.bytes += bytes;
        return text;
      }
      case "number":
        return this.#copyNumber(value);
      case "boolean":
      case "undefined":
        return value;
      case "bigint":
        this.bytes += bigintBytes(value);
        return value;
      case "object":
        return value === null ? null : this.#copyObject(value, depth);
      default:
        throw this.#notData(`A ${typeof value}`, depth);
    }
  }

  /** What has most items by far needs no path: numbers are always data. */
  #copyItem(item: unknown, step: unknown, depth: number): unknown {
    if (typeof item === "number") return this.#copyNumber(item);
    this.#path[depth] = step;
    return this.copy(item, depth + 1);
  }

  /** The number as a small integer, if it can be. */
  #copyNumber(value: number): number {
    const small = value | 0;
    if (Object.is(small, value)) return small;
    this.bytes += HEAP_NUMBER_BYTES;
    return value;
  }

  #copyObject(value: object, depth: number): unknown {
    if (depth === DEPTH_MAX) {
      throw this.#notData("A value that is nested too deeply, or contains itself,", depth);
    }
    if (Array.isArray(value)) return this.#copyList(value, depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      return this.#copyPlain(value as Record<string, unknown>, depth);
    }
    return this.#copyChangeable(value, depth);
  }

  #copyList(list: readonly unknown[], depth: number): unknown {
    this.bytes += ARRAY_BYTES;
    if (list.length > 0) this.bytes += ELEMENTS_BYTES + list.length * WORD_BYTES;
    const copy = new Array<unknown>(list.length);
    for (let index = 0; index < list.length; index++) {
      copy[index] = this.#copyItem(list[index], index, depth);
    }
    return Object.freeze(copy);
  }

  #copyPlain(value: Record<string, unknown>, depth: number): unknown {
    const shape = knownShape(value);
    if (shape === undefined) return this.#copyStrange(value, depth);
    this.bytes += bytesOf(shape, this.#isKept);
    const copy = new shape.Plain();
    for (const name in value) {
      if (!isOwn.call(value, name)) continue;
      copy[name] = this.#copyItem(value[name], name, depth);
    }
    return Object.freeze(copy);
  }

  #copyStrange(value: Record<string, unknown>, depth: number): unknown {
    const names = Object.keys(value);
    const indexes = indexesOf(names);
    if (indexes > 0) this.bytes += indexesBytes(indexes);
    const { object: copy, bytes } = newObject(names.slice(indexes), this.#isKept);
    this.bytes += bytes;
    for (let place = 0; place < names.length; place++) {
      const name = names[place] as string;
      const item = this.#copyItem(value[name], name, depth);
      // Assignment would call the setter of the prototype and lose the name; and elements that are
      // assigned may become a list with holes, of any size.
      if (place < indexes || isInherited(name)) {
        Object.defineProperty(copy, name, { value: item, enumerable: true });
      } else copy[name] = item;
    }
    return Object.freeze(copy);
  }

  #copyChangeable(value: object, depth: number): unknown {
    this.changeable = true;
    if (value instanceof Date) {
      this.bytes += DATE_BYTES;
      return new Date(value.getTime());
    }
    if (value instanceof Map) {
      this.bytes += tableBytes(value.size, MAP_SLOT_BYTES);
      const copy = new Map<unknown, unknown>();
      for (const [key, item] of value) {
        const ownKey = this.#copyItem(key, copy.size, depth);
        copy.set(ownKey, this.#copyItem(item, copy.size, depth));
      }
      return copy;
    }
    if (value instanceof Set) {
      this.bytes += tableBytes(value.size, SET_SLOT_BYTES);
      const copy = new Set<unknown>();
      for (const item of value) {
        copy.add(this.#copyItem(item, copy.size, depth));
      }
      return copy;
    }
    if (isTypedArray(value)) {
      this.bytes += BUFFER_BYTES + bufferBytes(value.byteLength);
      // A Buffer becomes plain bytes, as it does in every other tier.
      return value instanceof Uint8Array
        ? Uint8Array.from(value)
        : (value as Exclude<NodeJS.TypedArray, Uint8Array>).slice();
    }
    throw this.#notData(`An instance of ${value.constructor?.name ?? "a class"}`, depth);
  }

  #notData(what: string, depth: number): SpringhouseError {
    const path = this.#path.slice(0, depth);
    const where = depth === 0 ? "" : ` at ${path.slice(0, PATH_STEPS_SHOWN).join(".")}`;
    return new SpringhouseError(
      "INVALID_ARGUMENT",
      `${what}${where} cannot be cached. A cache keeps data: plain objects, lists, texts, ` +
        'numbers, bytes, dates, maps and sets; or set values: "shared" for a category that lives ' +
        "in memory only.",
      { fields: { path, what: `${what}${where}` } },
    );
  }
}

function indexesOf(keys: readonly string[]): number {
  let count = 0;
  while (count < keys.length && isIndex(keys[count] as string)) count++;
  return count;
}

function bigintBytes(value: bigint): number {
  if (BigInt.asIntN(WORD_BITS, value) === value) return BIGINT_BYTES + WORD_BYTES;
  const digits = value.toString(16).length - (value < 0n ? 1 : 0);
  const bits = digits * DIGIT_BITS;
  return BIGINT_BYTES + Math.ceil(bits / WORD_BITS) * WORD_BYTES;
}

function bufferBytes(length: number): number {
  if (length === 0 || length > HEAP_BUFFER_MAX) return length;
  return ELEMENTS_BYTES + Math.ceil(length / WORD_BYTES) * WORD_BYTES;
}

function tableBytes(size: number, slotBytes: number): number {
  return COLLECTION_BYTES + 2 ** Math.ceil(Math.log2(Math.max(SLOTS_MIN, size))) * slotBytes;
}
