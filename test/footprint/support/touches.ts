/** Whether a change touches a footprint, in the plainest way that is right. */

import type { Change, Image } from "../../../src/change/change.ts";
import type { Atom, Footprint } from "../../../src/change/footprint.ts";
import type { Comparison, Predicate } from "../../../src/change/predicate.ts";
import type { SchemaStructure, TableStructure } from "../../../src/change/structure.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "../../../src/change/value.ts";

type Truth = true | false | null;

const ANY: readonly Truth[] = [true, false, null];

export function touches(footprint: Footprint, change: Change, schema: SchemaStructure): boolean {
  return footprint.atoms.some((atom) => touchesAtom(atom, change, schema));
}

function touchesAtom(atom: Atom, change: Change, schema: SchemaStructure): boolean {
  const table = schema.table(atom.table);
  if (atom.table !== change.table || table === undefined) return false;
  if (change.kind === "table") return true;
  const { before, after } = change;
  if (before && after && !changesColumn(atom, before, after)) return false;
  return [before, after].some(
    (image) => image !== undefined && possible(atom.predicate, image, table).includes(true),
  );
}

function changesColumn({ columns }: Atom, before: Image, after: Image): boolean {
  if (columns === "all") return true;
  return [...columns].some((name) => {
    const index = before.columns.indexOf(name);
    return !isSame(before.values[index], after.values[index]);
  });
}

function isSame(left: ImageValue | undefined, right: ImageValue | undefined): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0;
  }
  return left !== UNKNOWN && Object.is(left, right);
}

/** The truth values that a predicate may have for the row. */
function possible(predicate: Predicate, image: Image, table: TableStructure): readonly Truth[] {
  switch (predicate.kind) {
    case "always":
      return [true];
    case "opaque":
      return ANY;
    case "not":
      return possible(predicate.part, image, table).map((truth) =>
        truth === null ? null : !truth,
      );
    case "and":
      return predicate.parts
        .map((part) => possible(part, image, table))
        .reduce((left, right) => combine(left, right, false), [true]);
    case "or":
      return predicate.parts
        .map((part) => possible(part, image, table))
        .reduce((left, right) => combine(left, right, true), [false]);
    case "compare":
      return compareColumn(image, table, predicate.column, predicate.operator, predicate.value);
    case "in":
      return predicate.values
        .map((value) => compareColumn(image, table, predicate.column, "=", value))
        .reduce((left, right) => combine(left, right, true), [false]);
  }
}

/** AND and OR of SQL: one of the values decides, NULL comes next. */
function combine(left: readonly Truth[], right: readonly Truth[], decisive: boolean): Truth[] {
  const all = left.flatMap((one) =>
    right.map((other) => {
      if (one === decisive || other === decisive) return decisive;
      return one === null || other === null ? null : !decisive;
    }),
  );
  return [...new Set(all)];
}

function compareColumn(
  image: Image,
  table: TableStructure,
  name: string,
  operator: Comparison,
  value: StoredValue,
): readonly Truth[] {
  const stored = image.values[image.columns.indexOf(name)];
  const collation = table.columns.find((column) => column.name === name)?.collation;
  if (stored === undefined || stored === UNKNOWN || collation === undefined) return ANY;
  if (operator === "is" || operator === "is not") {
    return [(order(stored, value, collation) === 0) === (operator === "is")];
  }
  if (stored === null || value === null) return [null];
  const sign = order(stored, value, collation);
  return [
    {
      "=": sign === 0,
      "<>": sign !== 0,
      "<": sign < 0,
      "<=": sign <= 0,
      ">": sign > 0,
      ">=": sign >= 0,
    }[operator],
  ];
}

/** SQLite's order of values: NULL, numbers, texts, blobs. */
function order(left: StoredValue, right: StoredValue, collation: string): number {
  const classes = rank(left) - rank(right);
  if (classes !== 0) return classes;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (typeof left === "string" && typeof right === "string") {
    return Buffer.compare(Buffer.from(fold(left, collation)), Buffer.from(fold(right, collation)));
  }
  if (left === null || right === null) return 0;
  return left < right ? -1 : left > right ? 1 : 0;
}

function rank(value: StoredValue): number {
  if (value === null) return 0;
  if (typeof value === "bigint" || typeof value === "number") return 1;
  return typeof value === "string" ? 2 : 3;
}

function fold(text: string, collation: string): string {
  if (collation === "rtrim") return text.replace(/ +$/, "");
  if (collation === "binary") return text;
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
