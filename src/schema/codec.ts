/**
 * Between JavaScript values and what a database stores. One codec per column and dialect: `encode`
 * trusts that the value has been checked and refuses what it cannot store; `decode` trusts nothing,
 * because any program may have written the row, and its errors name table and column.
 *
 * | kind      | JavaScript | SQLite                | PostgreSQL            |
 * |-----------|------------|-----------------------|-----------------------|
 * | int       | number     | INTEGER               | bigint                |
 * | bigint    | bigint     | INTEGER               | bigint                |
 * | real      | number     | REAL                  | double precision      |
 * | text      | string     | TEXT                  | text                  |
 * | boolean   | boolean    | INTEGER, 0 or 1       | boolean               |
 * | json      | any        | TEXT                  | jsonb                 |
 * | uuid      | string     | TEXT                  | uuid                  |
 * | date      | string     | TEXT                  | date                  |
 * | timestamp | Date       | INTEGER, epoch ms     | timestamptz(3)        |
 * | blob      | Uint8Array | BLOB                  | bytea                 |
 * | enum      | string     | TEXT                  | text                  |
 *
 * PostgreSQL takes and gives text for what SQLite has no type for: "true" and "false" (or "t" and
 * "f"), ISO moments, JSON, `\x` bytes.
 */

import { unreachable } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { momentOf } from "./calendar.ts";
import { show } from "./check.ts";
import type { ColumnFacts } from "./facts.ts";
import { copyJson, JsonProblem } from "./json.ts";
import type { Dialect, SqlValue } from "./physical.ts";

/** Both directions for one column. Null is null in both. */
export interface ColumnCodec {
  readonly encode: (value: unknown) => SqlValue;
  readonly decode: (stored: SqlValue) => unknown;
}

type Decode = (stored: NonNullable<SqlValue>) => unknown;

const cached: Readonly<Record<Dialect, WeakMap<ColumnFacts, ColumnCodec>>> = {
  sqlite: new WeakMap(),
  postgres: new WeakMap(),
};

/** The codec of a column; the same object for the same column and dialect. */
export function codecOf(table: string, column: ColumnFacts, dialect: Dialect): ColumnCodec {
  const known = cached[dialect].get(column);
  if (known !== undefined) return known;
  const encode = encoderOf(column, dialect);
  const decode = decoderOf(column);
  const codec: ColumnCodec = {
    encode: (value) => (value === null || value === undefined ? null : encode(value)),
    decode: (stored) => {
      if (stored === null) return null;
      const value = decode(stored);
      if (value === undefined) throw undecodable(table, column, stored);
      return value;
    },
  };
  cached[dialect].set(column, codec);
  return codec;
}

/** A value as a column of this kind stores it. */
function encoderOf(column: ColumnFacts, dialect: Dialect): (value: unknown) => SqlValue {
  const refuse = (value: unknown): never => {
    throw unstorable(`a ${column.kind} column ("${column.name}")`, value);
  };
  switch (column.kind) {
    case "int":
      return (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : refuse(value));
    case "real":
      return (value) => (Number.isFinite(value) ? (value as number) + 0 : refuse(value));
    case "bigint":
      return (value) => (typeof value === "bigint" ? value : refuse(value));
    case "text":
    case "uuid":
    case "date":
    case "enum":
      // A lone surrogate would become another character on the way.
      return (value) => (typeof value === "string" && value.isWellFormed() ? value : refuse(value));
    case "boolean":
      return (value) =>
        typeof value === "boolean" ? encodeBoolean(value, dialect) : refuse(value);
    case "json":
      return encodeJson;
    case "timestamp":
      return (value) => encodeMoment(momentOf(value) ?? refuse(value), dialect);
    case "blob":
      return (value) => (value instanceof Uint8Array ? value : refuse(value));
    default:
      return unreachable(column.kind);
  }
}

function encodeBoolean(value: boolean, dialect: Dialect): SqlValue {
  if (dialect === "postgres") return value ? "true" : "false";
  return value ? 1 : 0;
}

function encodeMoment(value: Date, dialect: Dialect): SqlValue {
  return dialect === "postgres" ? value.toISOString() : value.getTime();
}

function encodeJson(value: unknown): string {
  const copied = copyJson(value);
  if (!(copied instanceof JsonProblem)) return JSON.stringify(copied);
  const where = copied.path.length === 0 ? "" : ` (at ${copied.path.join(".")})`;
  throw new SpringhouseError("INVALID_ARGUMENT", `A JSON value: ${copied.message}${where}.`);
}

/** Gives undefined for what cannot be a stored value of this kind. */
function decoderOf(column: ColumnFacts): Decode {
  switch (column.kind) {
    case "int":
      return decodeInt;
    case "bigint":
      return decodeBigint;
    case "real":
      return (stored) => (typeof stored === "number" ? stored : decodeNumberText(stored));
    case "text":
    case "uuid":
    case "date":
    case "enum":
      return (stored) => (typeof stored === "string" ? stored : undefined);
    case "boolean":
      return (stored) => BOOLEANS.get(stored);
    case "json":
      return decodeJson;
    case "timestamp":
      return decodeMoment;
    case "blob":
      return decodeBytes;
    default:
      return unreachable(column.kind);
  }
}

const BOOLEANS: ReadonlyMap<SqlValue, boolean> = new Map<SqlValue, boolean>([
  [0, false],
  [1, true],
  [0n, false],
  [1n, true],
  ["f", false],
  ["t", true],
  ["false", false],
  ["true", true],
]);

function decodeInt(stored: SqlValue): number | undefined {
  const value = typeof stored === "number" ? stored : Number(decodeBigint(stored));
  return Number.isSafeInteger(value) ? value : undefined;
}

const WHOLE = /^-?\d{1,19}$/;

/**
 * The least integer of 64 bits, which `node:sqlite` gives as a number although it refuses its
 * neighbours: the magnitude that it looks at does not fit into 64 bits. A double holds it exactly.
 */
const INT64_MIN_AS_NUMBER = -(2 ** 63);

function decodeBigint(stored: SqlValue): bigint | undefined {
  if (typeof stored === "bigint") return stored;
  if (typeof stored === "number") {
    const isWhole = Number.isSafeInteger(stored) || stored === INT64_MIN_AS_NUMBER;
    return isWhole ? BigInt(stored) : undefined;
  }
  return typeof stored === "string" && WHOLE.test(stored) ? BigInt(stored) : undefined;
}

function decodeNumberText(stored: SqlValue): number | undefined {
  if (typeof stored === "bigint") return Number(stored);
  if (typeof stored !== "string" || stored.trim() === "") return undefined;
  const value = Number(stored);
  return Number.isNaN(value) ? undefined : value;
}

function decodeJson(stored: SqlValue): unknown {
  if (typeof stored !== "string") return undefined;
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}

/** The greatest distance of a `Date` from 1970. */
const DATE_MS_MAX = 8.64e15;
const POSTGRES_MOMENT =
  /^(\d{4,6}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)([+-]\d{2}(?::\d{2})?|Z)$/;

function decodeMoment(stored: SqlValue): Date | undefined {
  if (typeof stored === "number" || typeof stored === "bigint") {
    const ms = Number(stored);
    return Number.isInteger(ms) && Math.abs(ms) <= DATE_MS_MAX ? new Date(ms) : undefined;
  }
  const match = typeof stored === "string" ? POSTGRES_MOMENT.exec(stored) : null;
  if (match === null) return undefined;
  const [, day, time, zone = "Z"] = match;
  const offset = zone.length === "+00".length ? `${zone}:00` : zone;
  const date = new Date(`${day}T${time}${offset}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

const HEX_BYTES = /^\\x(?:[0-9a-f]{2})*$/i;

function decodeBytes(stored: SqlValue): Uint8Array | undefined {
  if (stored instanceof Uint8Array) return stored;
  if (typeof stored !== "string" || !HEX_BYTES.test(stored)) return undefined;
  return new Uint8Array(Buffer.from(stored.slice(2), "hex"));
}

function undecodable(table: string, column: ColumnFacts, stored: SqlValue): SpringhouseError {
  const { name, kind } = column;
  return new SpringhouseError(
    "CORRUPT",
    `"${table}"."${name}" holds ${describeStored(stored)}, which ${reasonOf(column, stored)}`,
    { fields: { table, column: name, kind } },
  );
}

function reasonOf(column: ColumnFacts, stored: SqlValue): string {
  if (column.kind !== "int" || !isWhole(stored)) {
    return (
      `is not a ${column.kind}. ` +
      "Another program must have written it: mend the row, or declare a kind that fits."
    );
  }
  const who =
    column.default?.from === "rowid"
      ? "The database has given the number after the greatest key: delete that row and this one."
      : "Another program must have written it: mend the row, or declare t.bigint().";
  return `is beyond what an int holds exactly (2^53 - 1). ${who}`;
}

function isWhole(stored: SqlValue): boolean {
  return typeof stored === "bigint" || Number.isInteger(stored);
}

/** The kind of a stored value; its text could be a secret, so it is not shown. */
function describeStored(stored: SqlValue): string {
  if (typeof stored === "string") return `a text of ${stored.length} characters`;
  if (stored instanceof Uint8Array) return `${stored.byteLength} bytes`;
  return `the number ${stored}`;
}

/**
 * A parameter of raw SQL, by its JavaScript type: booleans, dates, bytes, big integers, and objects
 * and arrays as JSON. On SQLite whole numbers are bound as integers, so that `7 / ?` divides as it
 * does with a literal.
 *
 * @throws `INVALID_ARGUMENT` for undefined, functions, symbols and numbers that SQL does not have.
 */
export function encodeParameter(value: unknown, dialect: Dialect): SqlValue {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw unstorable("a parameter", value);
      return value;
    case "number":
      if (!Number.isFinite(value)) throw unstorable("a parameter", value);
      return dialect === "sqlite" && Number.isSafeInteger(value) ? BigInt(value) : value;
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) throw unstorable("a parameter", value);
      return value;
    case "boolean":
      return encodeBoolean(value, dialect);
    case "object":
      return encodeObject(value, dialect);
    default:
      throw unstorable("a parameter", value);
  }
}

function encodeObject(value: object | null, dialect: Dialect): SqlValue {
  if (value === null) return null;
  if (value instanceof Uint8Array) return value;
  if (!(value instanceof Date)) return encodeJson(value);
  if (Number.isNaN(value.getTime())) throw unstorable("a parameter", value);
  return encodeMoment(value, dialect);
}

function unstorable(where: string, value: unknown): SpringhouseError {
  const hint = value === undefined ? " Give null for NULL." : "";
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${show(value)} cannot be stored in ${where}.${hint}`,
  );
}
