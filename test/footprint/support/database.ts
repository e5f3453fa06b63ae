/** Random databases: two to four small tables, with every trait that could mislead a reading. */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type {
  Affinity,
  ColumnStructure,
  SchemaStructure,
  TableStructure,
} from "../../../src/change/structure.ts";
import type { StoredValue } from "../../../src/change/value.ts";
import type { Choices } from "./random.ts";

/** A column as it is declared. */
export interface DeclaredColumn extends ColumnStructure {
  readonly ddl: string;
  readonly isGenerated: boolean;
  /** Values it is for. */
  readonly domain: readonly StoredValue[];
  /** Values it may get nevertheless. */
  readonly strange: readonly StoredValue[];
}

export interface DeclaredTable {
  readonly name: string;
  readonly columns: readonly DeclaredColumn[];
}

/** All rows of all tables, by their ids. */
export type Snapshot = ReadonlyMap<string, ReadonlyMap<StoredValue, readonly StoredValue[]>>;

/** Ids of rows are below this, so that rows meet. */
const IDS = 5;

export class RandomDatabase {
  readonly tables: readonly DeclaredTable[];
  readonly connection = new DatabaseSync(":memory:");
  readonly schema: SchemaStructure;

  constructor(choices: Choices) {
    const names = ["t0", "t1", "t2", "t3"].slice(0, 2 + choices.below(3));
    const flavour = choices.one(FLAVOURS);
    this.tables = names.map((name, index) =>
      randomTable(choices, flavour, name, names.slice(0, index)),
    );
    const structures = new Map(this.tables.map((table) => [table.name, structureOf(table)]));
    this.schema = { table: (name) => structures.get(name) };
    for (const { name, columns } of this.tables) {
      this.connection.exec(`CREATE TABLE ${name} (${columns.map((one) => one.ddl).join(", ")})`);
      if (choices.chance(0.3)) {
        this.connection.exec(`CREATE INDEX ${name}_index ON ${name} (${columns.at(-1)?.name})`);
      }
    }
    this.connection.exec("PRAGMA foreign_keys = ON");
    for (let index = 0; index < this.tables.length * 4; index++) this.write(choices);
  }

  /** Tries one insert, update or delete of one row; a constraint may be against it. */
  write(choices: Choices): string {
    const { name, columns } = choices.one(this.tables);
    const own = columns.filter((column) => !column.isGenerated);
    const present = this.#ids(name);
    const free = Array.from({ length: IDS }, (_, id) => BigInt(id)).filter(
      (id) => !present.includes(id),
    );
    const kind = choices.below(6);
    if (present.length === 0 || (kind < 2 && free.length > 0)) {
      const marks = own.map(() => "?").join(", ");
      const id = choices.one(choices.chance(0.2) && present.length > 0 ? present : free);
      const names = own.map((column) => column.name).join(", ");
      const values = own.map((one) => (one.name === "id" ? id : randomValue(choices, one)));
      return this.#run(`INSERT OR REPLACE INTO ${name} (${names}) VALUES (${marks})`, values);
    }
    const id = choices.one(present);
    if (kind === 2) return this.#run(`DELETE FROM ${name} WHERE id = ?`, [id]);
    const column = choices.one(own);
    const value = column.name === "id" ? BigInt(choices.below(IDS)) : randomValue(choices, column);
    return this.#run(`UPDATE ${name} SET ${column.name} = ? WHERE id = ?`, [value, id]);
  }

  #ids(table: string): bigint[] {
    const statement = this.connection.prepare(`SELECT id FROM ${table}`);
    statement.setReadBigInts(true);
    return statement.all().map((row) => row["id"] as bigint);
  }

  #run(sql: string, values: readonly StoredValue[]): string {
    try {
      this.connection.prepare(sql).run(...(values as SQLInputValue[]));
    } catch (error) {
      if (!/constraint failed/.test(String(error))) throw error;
    }
    return `${sql} ${values.map(String).join()}`;
  }

  snapshot(): Snapshot {
    return new Map(
      this.tables.map(({ name, columns }) => {
        const list = columns.map((column) => column.name).join(", ");
        const statement = this.connection.prepare(`SELECT ${list} FROM ${name}`);
        statement.setReadBigInts(true);
        statement.setReturnArrays(true);
        const rows = statement.all() as unknown as StoredValue[][];
        return [name, new Map(rows.map((row) => [row[0] as StoredValue, row]))];
      }),
    );
  }
}

function structureOf({ name, columns }: DeclaredTable): TableStructure {
  return { name, columns, capture: "rows" };
}

/** What a database is rich in, so that rare meetings are not rare everywhere. */
type Flavour = "mixed" | "text" | "converted";

const FLAVOURS: readonly Flavour[] = ["mixed", "mixed", "text", "converted"];

function randomTable(
  choices: Choices,
  flavour: Flavour,
  name: string,
  earlier: readonly string[],
): DeclaredTable {
  const columns: DeclaredColumn[] = [column("id", "INTEGER PRIMARY KEY", "integer")];
  for (let index = 0; index < 2 + choices.below(2); index++) {
    columns.push(randomColumn(choices, flavour, `c${index}`));
  }
  if (earlier.length > 0 && choices.chance(0.7)) {
    const action = choices.one(["CASCADE", "SET NULL", "NO ACTION"]);
    const parent = choices.one(earlier);
    const type = `INTEGER REFERENCES ${parent}(id) ON DELETE ${action} ON UPDATE ${action}`;
    columns.push(column("parent", type, "integer"));
  }
  if (choices.chance(0.3)) {
    columns.push({
      ...column("made", "INTEGER GENERATED ALWAYS AS (length(c0) + 1) VIRTUAL", "integer"),
      isGenerated: true,
    });
  }
  return { name, columns };
}

function randomColumn(choices: Choices, flavour: Flavour, name: string): DeclaredColumn {
  const integer = column(name, "INTEGER", "integer");
  const text = column(name, "TEXT", "text");
  const nocase = column(name, "TEXT COLLATE NOCASE", "text", "nocase");
  if (flavour === "text") {
    return { ...choices.one([text, nocase]), domain: ["a", "A", "b"], strange: [null] };
  }
  if (flavour === "mixed") {
    const real = column(name, "REAL", "real");
    return choices.one([integer, integer, text, nocase, real, column(name, "", "blob")]);
  }
  const likeText = { domain: ["1", "2", "a"], strange: [1n, 2n] };
  const likeNumbers = { domain: [1n, 2n], strange: ["1", "2", "a", 1.5] };
  return choices.one([
    { ...text, ...likeText },
    { ...integer, ...likeNumbers },
    { ...column(name, "", "blob"), ...likeText },
  ]);
}

function column(
  name: string,
  type: string,
  affinity: Affinity,
  collation = "binary",
): DeclaredColumn {
  const domain = DOMAINS[affinity];
  const strange = ["a", 1n, 0.5, "1"];
  return { name, ddl: `${name} ${type}`, affinity, collation, isGenerated: false, domain, strange };
}

const DOMAINS: Readonly<Record<Affinity, readonly StoredValue[]>> = {
  integer: [0n, 1n, 2n, 3n],
  real: [0, 0.5, 1, 1.5],
  numeric: [0n, 1n],
  text: ["a", "A", "b", "1"],
  blob: ["a", "1", 1n, 2n, 0.5],
};

/** Mostly what the column is for; now and then another class of value. */
export function randomValue(
  choices: Choices,
  column: DeclaredColumn,
  strangeness = 0.12,
): StoredValue {
  if (column.name === "parent") return choices.chance(0.2) ? null : BigInt(choices.below(IDS));
  if (choices.chance(0.1)) return null;
  return choices.one(choices.chance(strangeness) ? column.strange : column.domain);
}
