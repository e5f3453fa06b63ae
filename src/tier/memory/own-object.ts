/**
 * Empty objects that take a known number of heap bytes once properties of given names are set.
 *
 * `{}` has room for four properties, grows by three, and becomes a hash table with about twenty. So
 * objects are made by constructors, one for each number of properties: V8 looks at the first few
 * that a constructor makes, and gives all others just as much room as those needed.
 *
 * Objects with the same names share these and the hidden classes that tell where the values are.
 * One whose names come for the first time brings them with it, and pays for them. When too many
 * such come, as with records by identifiers, they become hash tables, which are smaller than hidden
 * classes of their own, and made in a fraction of the time.
 */

import { textBytes } from "./own-text.ts";

type Plain = Record<string, unknown>;
type PlainConstructor = new () => Plain;

/** An object without properties, and its heap bytes with them, except for the values'. */
export interface OwnObject {
  readonly object: Plain;
  readonly bytes: number;
}

const WORD_BYTES = 8;
/** Map, properties and elements pointers. */
const OBJECT_BYTES = 3 * WORD_BYTES;
/** A hidden class. */
const CLASS_BYTES = 10 * WORD_BYTES;
/** A new shape, here and as hidden classes: itself, each of its names, each new one in the tree. */
const SHAPE_BYTES = 22 * WORD_BYTES;
const SHAPE_NAME_BYTES = 10 * WORD_BYTES;
const PLACE_BYTES = 20 * WORD_BYTES;
/** Headers of a hash table of names, and of one of indexes; and a slot of either. */
const NAMES_BYTES = 8 * WORD_BYTES;
const INDEXES_BYTES = 6 * WORD_BYTES;
const SLOT_BYTES = 3 * WORD_BYTES;
const SLOTS_MIN = 4;

/** Objects with more properties are hash tables. */
const PROPERTIES_MAX = 128;
/** V8 has made up its mind about a constructor after seven. */
const TRAINING_OBJECTS = 8;
/** Names' places in known shapes; and names that are known beside. */
const KNOWN_MAX = 8_192;
/** Shapes that found no place until all are learnt anew. */
const STRANGERS_MAX = 65_536;
/** Larger indexes are names like any other. */
const INDEX_END = 2 ** 32 - 1;
const DIGIT_FIRST = 48;
const DIGIT_LAST = 57;

/** Names in the order in which objects have them, as a tree: here those that begin alike. */
export class Shape {
  /** The first name that followed; most have no other. */
  name: string | undefined = undefined;
  next: Shape | undefined = undefined;
  others: Map<string, Shape> | undefined = undefined;
  /** Makes objects for just these names; undefined until there was one. */
  Plain: PlainConstructor | undefined = undefined;
  /** Heap bytes of such an object, except for the values'. */
  bytes = 0;
  /** Heap bytes of what came with the shape, until an object has paid for them. */
  bornBytes = 0;
  /** One of them. It keeps the hidden classes, and has them know that values may be anything. */
  model: Plain | undefined = undefined;

  after(name: string): Shape | undefined {
    return name === this.name ? this.next : this.others?.get(name);
  }

  add(name: string): Shape {
    const shape = new Shape();
    if (this.next === undefined) {
      this.name = name;
      this.next = shape;
    } else {
      this.others ??= new Map();
      this.others.set(name, shape);
    }
    places++;
    return shape;
  }
}

/** A shape that objects have had. */
type KnownShape = Shape & { readonly Plain: PlainConstructor };

let places = 0;
let strangers = 0;
let shapes = new Shape();
const knownNames = new Set<string>();
/** By the number of properties; those that have been trained, and all. */
const trained: (PlainConstructor | undefined)[] = [];
const constructors: PlainConstructor[] = [];

/** The shape of an object, if there was one like it lately. */
export function knownShape(object: Plain): KnownShape | undefined {
  let shape: Shape | undefined = shapes;
  for (const name in object) {
    shape = name === shape.name ? shape.next : shape.others?.get(name);
    if (shape === undefined) return undefined;
  }
  return shape.Plain === undefined ? undefined : (shape as KnownShape);
}

/**
 * An object for properties of these names, none of them an index, to be set in their order.
 *
 * @param isKept whether it pays for names that are new.
 */
export function newObject(names: readonly string[], isKept: boolean): OwnObject {
  const shape = learnt(names);
  if (shape !== undefined) return { object: new shape.Plain(), bytes: bytesOf(shape, isKept) };
  return {
    object: Object.setPrototypeOf(Object.create(null), Object.prototype),
    bytes:
      OBJECT_BYTES +
      CLASS_BYTES +
      NAMES_BYTES +
      slotsBytes(names.length) +
      (isKept ? newNamesBytes(names) : 0),
  };
}

/** Heap bytes of an object. The first that is kept pays for what came with the shape. */
export function bytesOf(shape: Shape, isKept: boolean): number {
  if (!isKept || shape.bornBytes === 0) return shape.bytes;
  const bytes = shape.bytes + shape.bornBytes;
  shape.bornBytes = 0;
  return bytes;
}

/** Whether a property of this name is an element, in the order of numbers before all others. */
export function isIndex(name: string): boolean {
  const code = name.charCodeAt(0);
  if (!(code >= DIGIT_FIRST && code <= DIGIT_LAST)) return false;
  const index = Number(name);
  return index < INDEX_END && String(Math.trunc(index)) === name;
}

/**
 * Whether a property of this name is to be defined: `__proto__` cannot be assigned, nor can the
 * others where somebody has frozen what all objects inherit.
 */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}

/** Heap bytes of so many elements of an object, each set with attributes that are not the usual. */
export function indexesBytes(count: number): number {
  return INDEXES_BYTES + slotsBytes(count);
}

/** A hash table has a power of two of slots, and is full when two of three are used. */
function slotsBytes(count: number): number {
  const wanted = Math.max(SLOTS_MIN, count + Math.floor(count / 2));
  return 2 ** Math.ceil(Math.log2(wanted)) * SLOT_BYTES;
}

/** Undefined when there is no room for one more shape. */
function learnt(names: readonly string[]): KnownShape | undefined {
  const { length } = names;
  // What is made for a known shape is filled by assignment.
  if (length > PROPERTIES_MAX || names.some(isInherited)) return undefined;
  if (places + length > KNOWN_MAX) {
    if (++strangers < STRANGERS_MAX) return undefined;
    shapes = new Shape();
    places = 0;
    strangers = 0;
  }
  const before = places;
  let shape = shapes;
  for (const name of names) shape = shape.after(name) ?? shape.add(name);
  const Plain = trained[length] ?? train(length);
  if (shape.Plain === undefined) {
    const model = new Plain();
    for (const name of names) model[name] = undefined;
    shape.model = Object.freeze(model);
    shape.bytes = OBJECT_BYTES + length * WORD_BYTES;
    shape.bornBytes =
      SHAPE_BYTES +
      length * SHAPE_NAME_BYTES +
      (places - before) * PLACE_BYTES +
      newNamesBytes(names);
    shape.Plain = Plain;
  }
  return shape as KnownShape;
}

function newNamesBytes(names: readonly string[]): number {
  let bytes = 0;
  for (const name of names) {
    if (knownNames.has(name)) continue;
    if (knownNames.size === KNOWN_MAX) knownNames.clear();
    knownNames.add(name);
    bytes += textBytes(name);
  }
  return bytes;
}

function train(size: number): PlainConstructor {
  for (let index = constructors.length; index <= size; index++) {
    constructors.push(newConstructor(constructors.at(-1)));
  }
  const Constructor = constructors[size] as PlainConstructor;
  // They stay until the last one is made: V8 looks at those that live.
  const objects: Plain[] = [];
  while (objects.length < TRAINING_OBJECTS) {
    const object = new Constructor();
    for (let index = 0; index < size; index++) object[`name${index}`] = index;
    objects.push(object);
  }
  trained[size] = Constructor;
  return Constructor;
}

/** What it inherits counts for the room that the first few objects have: each adds two slots. */
function newConstructor(inherited: PlainConstructor | undefined): PlainConstructor {
  function Plain(): void {}
  if (inherited !== undefined) Object.setPrototypeOf(Plain, inherited);
  Plain.prototype = Object.prototype;
  return Plain as unknown as PlainConstructor;
}
