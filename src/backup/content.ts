/**
 * What a database holds, as digests: of its schema, and of the rows of each table. Two databases
 * with equal digests hold the same. Only for processes of their own: it reads everything.
 */

import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { SqlValue } from "../core/statement.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { DatabaseContent, TableFacts } from "./manifest.ts";

/** Values are gathered to so many bytes before they are hashed, since each call costs. */
const BUFFER_BYTES = 262_144;
/** The head of a value: its type, and its length or the number itself. */
const HEAD_BYTES = 9;
/** UTF-8 has at most so many bytes for one unit of a JavaScript text. */
const UTF8_BYTES_MAX = 3;
/** Rows between two reports of progress. */
const REPORT_ROWS = 50_000;

/** Ordinary and shadow tables; what is virtual stands in its shadow tables. */
const TABLES = `SELECT name FROM pragma_table_list
  WHERE schema = 'main' AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name`;
/** Without columns that are computed: they may need a function that is not here. */
const COLUMNS = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid";
const SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
const VIOLATIONS = "SELECT count(*) FROM pragma_foreign_key_check";

/** For `contentOf`. */
export interface ContentOptions {
  /** Makes the digests mean nothing to those who lack it. Default: none. */
  readonly key?: Uint8Array | undefined;
  /** Called now and then with the rows read so far. Default: none. */
  readonly onRows?: (rows: number) => void;
}

/** Reads the whole database. The connection must give rows as arrays. */
export function contentOf(
  database: DatabaseSync,
  { key, onRows = () => undefined }: ContentOptions = {},
): DatabaseContent {
  let rowsRead = 0;
  const tables = rowsOf(database, TABLES).map(([table]): TableFacts => {
    const name = String(table);
    const digest = new Digest(key);
    let rows = 0;
    for (const row of everyRow(database, name)) {
      for (const value of row) digest.add(value);
      rows++;
      rowsRead++;
      if (rowsRead % REPORT_ROWS === 0) onRows(rowsRead);
    }
    return { name, rows, digest: digest.end() };
  });
  const schema = new Digest(key);
  for (const row of rowsOf(database, SCHEMA)) for (const value of row) schema.add(value);
  const foreignKeyViolations = Number(rowsOf(database, VIOLATIONS)[0]?.[0]);
  return { schemaDigest: schema.end(), tables, foreignKeyViolations };
}

/** How two contents differ, in words; nothing when they are equal. */
export function contentDifferences(
  wanted: DatabaseContent,
  found: DatabaseContent,
): readonly string[] {
  const differences: string[] = [];
  if (wanted.schemaDigest !== found.schemaDigest) differences.push("the schema is another one");
  const there = new Map(found.tables.map((table) => [table.name, table]));
  for (const { name, rows, digest } of wanted.tables) {
    const table = there.get(name);
    there.delete(name);
    if (table === undefined) differences.push(`table ${name} is missing`);
    else if (table.rows !== rows) {
      differences.push(`table ${name} has ${table.rows} rows instead of ${rows}`);
    } else if (table.digest !== digest) differences.push(`table ${name} has other values`);
  }
  for (const name of there.keys()) differences.push(`table ${name} is too many`);
  if (wanted.foreignKeyViolations !== found.foreignKeyViolations) {
    const [before, after] = [wanted.foreignKeyViolations, found.foreignKeyViolations];
    differences.push(`${after} rows refer to nothing instead of ${before}`);
  }
  return differences;
}

function everyRow(database: DatabaseSync, table: string): Iterable<readonly SqlValue[]> {
  const columns = rowsOf(database, COLUMNS, table).map(([name]) => String(name));
  if (columns.length === 0) return [];
  const sql = `SELECT ${quoteList(columns)} FROM ${quoteIdentifier(table)} NOT INDEXED`;
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  return statement.iterate() as unknown as Iterable<readonly SqlValue[]>;
}

function rowsOf(database: DatabaseSync, sql: string, ...values: string[]): readonly SqlValue[][] {
  return database.prepare(sql).all(...values) as unknown as SqlValue[][];
}

/** A digest of a list of values: type and length go first, so no two lists look the same. */
class Digest {
  readonly #hash: Hash | Hmac;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #end = 0;

  constructor(key: Uint8Array | undefined) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
  }

  add(value: SqlValue): void {
    if (this.#end + HEAD_BYTES > BUFFER_BYTES) this.#flush();
    if (value === null) this.#buffer[this.#end++] = 0;
    else if (typeof value === "bigint") {
      this.#buffer[this.#end] = 1;
      this.#end = this.#buffer.writeBigInt64LE(value, this.#end + 1);
    } else if (typeof value === "number") {
      this.#buffer[this.#end] = 2;
      this.#end = this.#buffer.writeDoubleLE(value, this.#end + 1);
    } else if (typeof value === "string") this.#addText(value);
    else this.#addBytes(4, value);
  }

  end(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #addText(text: string): void {
    const most = HEAD_BYTES + text.length * UTF8_BYTES_MAX;
    if (most > BUFFER_BYTES) {
      this.#addBytes(3, Buffer.from(text));
      return;
    }
    if (this.#end + most > BUFFER_BYTES) this.#flush();
    const length = this.#buffer.write(text, this.#end + HEAD_BYTES);
    this.#addHead(3, length);
    this.#end += length;
  }

  #addBytes(type: number, bytes: Uint8Array): void {
    if (this.#end + HEAD_BYTES > BUFFER_BYTES) this.#flush();
    this.#addHead(type, bytes.byteLength);
    if (this.#end + bytes.byteLength > BUFFER_BYTES) {
      this.#flush();
      this.#hash.update(bytes);
    } else {
      this.#buffer.set(bytes, this.#end);
      this.#end += bytes.byteLength;
    }
  }

  /** The type and the length of a text or of bytes, which follow. */
  #addHead(type: number, length: number): void {
    this.#buffer[this.#end] = type;
    this.#end = this.#buffer.writeDoubleLE(length, this.#end + 1);
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#end));
    this.#end = 0;
  }
}
