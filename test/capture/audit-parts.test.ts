import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { AuditLog, auditParts, withAudit } from "../../src/capture/audit.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { type Columns, t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { Entity } from "../../src/schema/types.ts";

const Thing = entity("things", { id: t.int().primaryKey() }, { audit: true });
const Quiet = entity("quiet", { id: t.int().primaryKey() });

describe("what the audit log needs", () => {
  it("is nothing when no entity is audited", () => {
    const catalog = createCatalog([Quiet]);
    const schema = physicalSchema(catalog, "sqlite");

    expect(auditParts(catalog, "sqlite")).toEqual({ tables: [], indexes: [], objects: [] });
    expect(withAudit(schema, catalog)).toEqual(schema);
  });

  it("has the log once, also when it is among the entities to be read", () => {
    const catalog = createCatalog([Thing, AuditLog]);

    const { tables, indexes } = withAudit(physicalSchema(catalog, "sqlite"), catalog);

    expect(tables.map(({ name }) => name)).toEqual([
      "things",
      "audit_log",
      "springhouse_actor",
      "springhouse_audit_notes",
    ]);
    expect(indexes).toHaveLength(1);
  });

  it("refuses another entity of that name", () => {
    const catalog = createCatalog([Thing, entity("audit_log", { id: t.int().primaryKey() })]);

    expect(() => auditParts(catalog, "sqlite")).toThrowError(
      expect.objectContaining({ code: "INVALID_SCHEMA" }),
    );
  });

  it("reaches to tables of 500 columns and no further", () => {
    const wide = (count: number): Entity => {
      const columns: Record<string, Columns[string]> = { id: t.int().primaryKey() };
      for (let at = 1; at < count; at++) columns[`c${at}`] = t.int().default(0);
      return entity("wide", columns, { audit: true });
    };
    const catalog = createCatalog([wide(500)]);
    using db = new DatabaseSync(":memory:");
    for (const sql of createStatements(withAudit(physicalSchema(catalog, "sqlite"), catalog))) {
      db.exec(sql);
    }

    db.exec("INSERT INTO wide (id) VALUES (1); UPDATE wide SET c499 = 5");

    expect(db.prepare("SELECT changes FROM audit_log WHERE id = 2").get()).toEqual({
      changes: '{"c499":{"old":0,"new":5}}',
    });
    expect(() => auditParts(createCatalog([wide(501)]), "sqlite")).toThrow(
      /501 columns; at most 500/,
    );
  });
});
