/**
 * Reads the schema that stands in a SQLite file, in the same shape in which it is declared.
 *
 * The tables of SQLite and of the migrator and the shadow tables of virtual tables are left out.
 */

import { SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { ForeignKeyFact, ReferentialAction } from "../schema/facts.ts";
import type {
  PhysicalColumn,
  PhysicalIndex,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../schema/physical.ts";
import type { Session, SqlValue } from "../store/store.ts";
import { parseIndexCondition, parseTable } from "./create-table.ts";
import { isBookkeeping, isRollupName, rollupSourceOf, searchTableOf } from "./internal.ts";

/**
 * The schema of a file, with what the declaration's vocabulary cannot express. An index over
 * expressions or with a collation stands among the objects, as text, and so do tables of rollups.
 */
export interface FileSchema extends PhysicalSchema {
  /** By table: features that a rebuild would lose, such as "COLLATE NOCASE on title". */
  readonly features: ReadonlyMap<string, readonly string[]>;
  /** By table: columns whose values SQLite computes. They are no part of what can be declared. */
  readonly generated: ReadonlyMap<string, readonly PhysicalColumn[]>;
}

/**
 * Reads the schema of the session's database.
 *
 * @throws `INVALID_ARGUMENT` for a database other than SQLite.
 */
export async function introspect(session: Session): Promise<FileSchema> {
  if (session.dialect !== "sqlite") {
    const message = `The schema of a ${session.dialect} database cannot be read yet.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message);
  }
  const masters = (await all(session, MASTERS)).map(toMaster).filter((row) => !row.shadow);
  const tables = masters.filter(isOrdinaryTable);
  const columns = groupByName(await all(session, COLUMNS));
  const keys = groupByName(await all(session, FOREIGN_KEYS));
  const primaryKeys = new Map(
    [...columns].map(([table, rows]) => [lowerAscii(table), primaryKeyOf(rows)]),
  );
  const parts = groupByName(await all(session, INDEXES));
  const sources = new Map(masters.map(({ name, sql }) => [name, rollupSourceOf(name, sql)]));
  return {
    dialect: "sqlite",
    tables: tables.map((master) => ({
      ...tableOf(master, columns.get(master.name) ?? []),
      foreignKeys: foreignKeysOf(keys.get(master.name) ?? [], primaryKeys),
    })),
    indexes: masters.flatMap((master) => indexOf(master, parts.get(master.name)) ?? []),
    objects: masters
      .filter((master) => isObject(master, parts.get(master.name)))
      .map((master) => toObject(master, sources)),
    features: new Map(tables.map((master) => [master.name, featuresOf(master)])),
    generated: new Map(
      [...columns].map(([table, rows]) => [table, rows.filter(isGenerated).map(toColumn)]),
    ),
  };
}

interface Master {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
  readonly virtual: boolean;
  readonly shadow: boolean;
  readonly withoutRowid: boolean;
  readonly strict: boolean;
}

const MASTERS = `SELECT s.type, s.name, s.tbl_name, s.sql, l.type, l.wr, l.strict
  FROM sqlite_schema s LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
  WHERE s.sql IS NOT NULL ORDER BY s.rowid`;
/** Virtual tables have no root page; asking for their columns would load their module. */
const ORDINARY = "FROM sqlite_schema s, %s WHERE s.type = 'table' AND s.rootpage > 0";
const COLUMNS = `SELECT s.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
  ${ORDINARY.replace("%s", "pragma_table_xinfo(s.name) x")} ORDER BY s.rowid, x.cid`;
const FOREIGN_KEYS = `SELECT s.name, f.id, f.seq, f."table", f."from", f."to", f.on_delete,
  f.on_update ${ORDINARY.replace("%s", "pragma_foreign_key_list(s.name) f")}
  ORDER BY s.rowid, f.id DESC, f.seq`;
const INDEXES = `SELECT i.name, i."unique", i.partial, x.name, x."desc", x.coll
  ${ORDINARY.replace("%s", "pragma_index_list(s.name) i, pragma_index_xinfo(i.name) x")}
  AND i.origin = 'c' AND x.key = 1 ORDER BY s.rowid, i.seq DESC, x.seqno`;

async function all(session: Session, sql: string): Promise<readonly (readonly SqlValue[])[]> {
  return (await session.read({ sql, parameters: [] })).rows;
}

function toMaster(row: readonly SqlValue[]): Master {
  const [kind, name, table, sql, listed, withoutRowid, strict] = row;
  return {
    kind: String(kind),
    name: String(name),
    table: String(table),
    sql: String(sql),
    virtual: listed === "virtual",
    shadow: listed === "shadow",
    withoutRowid: withoutRowid === 1,
    strict: strict === 1,
  };
}

type ColumnRow = readonly SqlValue[];

function tableOf(master: Master, rows: readonly ColumnRow[]): Omit<PhysicalTable, "foreignKeys"> {
  const { uniques, checks } = parseTable(master.sql);
  return {
    name: master.name,
    columns: rows.filter((row) => !isGenerated(row)).map(toColumn),
    primaryKey: primaryKeyOf(rows),
    uniques,
    checks,
    strict: master.strict,
  };
}

function isGenerated(row: ColumnRow): boolean {
  return row[6] !== 0;
}

function toColumn(row: ColumnRow): PhysicalColumn {
  const [, name, type, notNull, defaultSql] = row;
  return {
    name: String(name),
    type: String(type),
    notNull: notNull === 1,
    ...(defaultSql !== null && { default: String(defaultSql) }),
  };
}

function primaryKeyOf(rows: readonly ColumnRow[]): readonly string[] {
  return rows
    .filter((row) => Number(row[5]) > 0)
    .sort((a, b) => Number(a[5]) - Number(b[5]))
    .map((row) => String(row[1]));
}

function foreignKeysOf(
  rows: readonly (readonly SqlValue[])[],
  primaryKeys: ReadonlyMap<string, readonly string[]>,
): readonly ForeignKeyFact[] {
  const byId = Map.groupBy(rows, (row) => Number(row[1]));
  return [...byId.values()].map((parts) => {
    const [, , , table, , , onDelete, onUpdate] = parts[0] ?? [];
    const parentKey = primaryKeys.get(lowerAscii(String(table))) ?? [];
    return {
      columns: parts.map((part) => String(part[4])),
      table: String(table),
      // A reference that names no column means the primary key of the other table.
      references: parts.map((part, index) => String(part[5] ?? parentKey[index])),
      onDelete: toAction(onDelete),
      onUpdate: toAction(onUpdate),
    };
  });
}

function toAction(value: SqlValue | undefined): ReferentialAction {
  return String(value).toLowerCase() as ReferentialAction;
}

type IndexParts = readonly (readonly SqlValue[])[] | undefined;

/** An index as data; undefined for what is none, or can only be said by its text. */
function indexOf({ kind, name, table, sql }: Master, parts: IndexParts): PhysicalIndex | undefined {
  if (kind !== "index" || parts === undefined || isBookkeeping(table)) return undefined;
  if (isOpaque(parts)) return undefined;
  const where = parseIndexCondition(sql);
  return {
    name,
    table,
    columns: parts.map((part) => ({ name: String(part[3]), descending: part[4] === 1 })),
    unique: parts[0]?.[1] === 1,
    ...(where !== undefined && { where }),
  };
}

/** Whether a part of the index is an expression or has a collation. */
function isOpaque(parts: IndexParts): boolean {
  return parts?.some((part) => part[3] === null || part[5] !== "BINARY") ?? false;
}

function isOrdinaryTable({ kind, virtual, name }: Master): boolean {
  return kind === "table" && !virtual && !isBookkeeping(name) && !isRollupName(name);
}

function isObject(master: Master, parts: IndexParts): boolean {
  if (master.kind === "trigger") return !isBookkeeping(master.table) && !isBookkeeping(master.name);
  if (master.kind === "index") return isOpaque(parts) && !isBookkeeping(master.table);
  const isRead = master.kind === "view" || master.virtual || isRollupName(master.name);
  return isRead && !isBookkeeping(master.name);
}

/** A view of a rollup has the name of the rollup, and its table is that of the rollup's source. */
function toObject(
  { kind, name, table, sql, virtual }: Master,
  sources: ReadonlyMap<string, string | undefined>,
): PhysicalObject {
  if (kind === "trigger" || kind === "index") return { kind, name, table, sql };
  if (!virtual) {
    const source = sources.get(kind === "view" ? `springhouse_rollup_${name}` : name);
    const isOf = source === undefined ? {} : { table: source };
    return { kind: kind === "view" ? "view" : "table", name, ...isOf, sql };
  }
  return { ...searchTableOf(name, sql), kind: "virtual table", name, sql };
}

function featuresOf(master: Master): readonly string[] {
  const { features } = parseTable(master.sql);
  return master.withoutRowid ? ["WITHOUT ROWID", ...features] : features;
}

function groupByName(
  rows: readonly (readonly SqlValue[])[],
): ReadonlyMap<string, readonly (readonly SqlValue[])[]> {
  return Map.groupBy(rows, (row) => String(row[0]));
}
