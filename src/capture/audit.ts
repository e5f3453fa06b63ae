/**
 * The audit log: every change of a row of an audited table becomes a row of `audit_log`, written by
 * triggers in the same transaction, so that no writer can forget it and no rollback leaves a trace.
 * The log has no foreign keys, because history outlives what it is about, and refuses UPDATE and
 * DELETE. How the triggers look is a matter of each dialect.
 */

import type { Catalog } from "../schema/catalog.ts";
import { type Column, t } from "../schema/column.ts";
import { physicalIndexes, physicalTable } from "../schema/ddl.ts";
import { entity, factsOf } from "../schema/entity.ts";
import type { EntityFacts } from "../schema/facts.ts";
import type {
  Dialect,
  PhysicalIndex,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../schema/physical.ts";
import { invalidSchema } from "../schema/refuse.ts";
import type { DeclaredEntity, TypesFor } from "../schema/types.ts";
import { postgresAudit } from "./audit-postgres.ts";
import { sqliteAudit, sqliteAuditTables } from "./audit-sqlite.ts";

/** What happened to a row. */
export type AuditAction = "create" | "update" | "delete";

/**
 * The changed columns by SQL name. A creation has only `new`, a deletion only `old`. Values are
 * JSON: big integers as text, moments as epoch milliseconds, bytes as `{ hex }` or, beyond 64 of
 * them, as `{ bytes }`, their number.
 */
export type AuditChanges = Readonly<
  Record<string, { readonly old?: unknown; readonly new?: unknown }>
>;

type AuditLogColumns = {
  readonly id: Column<"int", number, "key">;
  readonly entityType: Column<"text", string>;
  readonly entityId: Column<"text", string>;
  readonly action: Column<"enum", AuditAction>;
  readonly userId: Column<"text", string, "nullable">;
  readonly changes: Column<"json", AuditChanges>;
  readonly timestamp: Column<"timestamp", Date, "default">;
};

/**
 * The log as an entity, for reading it. `entityType` is the table; `entityId` is the key as text,
 * or a JSON array when it has several columns, and the old one when an update changes it.
 */
export const AuditLog: DeclaredEntity<
  TypesFor<"audit_log", AuditLogColumns, never, undefined, unknown>
> = entity(
  "audit_log",
  {
    id: t.int().primaryKey(),
    entityType: t.text(),
    entityId: t.text(),
    action: t.enum(["create", "update", "delete"]),
    userId: t.text().nullable(),
    changes: t.json<AuditChanges>(),
    timestamp: t.timestamp().defaultNow(),
  },
  { indexes: [{ on: ["entityType", "entityId"] }] },
);

/** What the audit log needs beside the entities. */
export interface AuditParts {
  readonly tables: readonly PhysicalTable[];
  readonly indexes: readonly PhysicalIndex[];
  readonly objects: readonly PhysicalObject[];
}

/**
 * Tables, indexes and triggers of the audit log; nothing when no entity is audited.
 *
 * @throws `INVALID_SCHEMA` when another entity is called `audit_log`, or one has too many columns.
 */
export function auditParts(catalog: Catalog, dialect: Dialect): AuditParts {
  const audited = catalog.entities.filter((facts) => facts.audit);
  if (audited.length === 0) return { tables: [], indexes: [], objects: [] };
  const log = factsOf(AuditLog);
  const isDeclared = isLogDeclared(catalog, log);
  for (const facts of audited) refuseTooWide(facts);
  const objects = dialect === "sqlite" ? sqliteAudit(audited) : postgresAudit(audited);
  return {
    tables: [
      ...(isDeclared ? [] : [physicalTable(log, dialect)]),
      ...(dialect === "sqlite" ? sqliteAuditTables : []),
    ],
    indexes: isDeclared ? [] : physicalIndexes(log),
    objects,
  };
}

/** A schema with what the audit log needs. */
export function withAudit(schema: PhysicalSchema, catalog: Catalog): PhysicalSchema {
  const { tables, indexes, objects } = auditParts(catalog, schema.dialect);
  return {
    ...schema,
    tables: [...schema.tables, ...tables],
    indexes: [...schema.indexes, ...indexes],
    objects: [...schema.objects, ...objects],
  };
}

/** `AuditLog` may be among the entities, so that it can be read like them. */
function isLogDeclared(catalog: Catalog, log: EntityFacts): boolean {
  const declared = catalog.byTable.get(log.table);
  if (declared === undefined || declared === log) return declared === log;
  const reason = "is the name of the audit log, and another entity has `audit`; use AuditLog";
  throw invalidSchema(log.table, undefined, reason);
}

/** SQLite joins at most 500 SELECTs, one for each column of an update. */
const COLUMNS_MAX = 500;

function refuseTooWide({ table, columns }: EntityFacts): void {
  if (columns.length <= COLUMNS_MAX) return;
  const reason = `has ${columns.length} columns; at most ${COLUMNS_MAX} can be audited`;
  throw invalidSchema(table, undefined, reason);
}
