import { describe, expect, it } from "vitest";
import { withAudit } from "../../src/capture/audit.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { type Columns, t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import { PostgresSchema, skipPostgres } from "../schema/psql.ts";

const Thing = entity(
  "things",
  {
    id: t.int().primaryKey(),
    big: t.bigint().nullable(),
    flag: t.boolean().nullable(),
    data: t.json().nullable(),
    bytes: t.blob().nullable(),
    at: t.timestamp().nullable(),
  },
  { audit: true },
);
const many: Record<string, Columns[string]> = { a: t.int(), b: t.uuid() };
for (let at = 0; at < 120; at++) many[`c${at}`] = t.int().default(at);
const Wide = entity("wide", many, { primaryKey: ["a", "b"], audit: true });
const UUID = "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e";

function prepare(schema: PostgresSchema): void {
  const catalog = createCatalog([Thing, Wide]);
  const statements = createStatements(withAudit(physicalSchema(catalog, "postgres"), catalog));
  schema.run(`${statements.join(";\n")};`);
}

function log(schema: PostgresSchema): readonly Record<string, unknown>[] {
  return schema.rows(
    "SELECT entity_type, entity_id, action, user_id, changes FROM audit_log ORDER BY id",
  );
}

describe.skipIf(skipPostgres)("the audit log on PostgreSQL", () => {
  it("tells creation, change and deletion, values of every kind among them", () => {
    using schema = new PostgresSchema();
    prepare(schema);

    schema.run(`
      INSERT INTO things VALUES (1, 9223372036854775807, true, '{"a": [1]}', '\\x00ff', 'epoch');
      UPDATE things SET flag = NULL, bytes = decode(repeat('00', 65), 'hex'), at = at;
      UPDATE things SET big = big;
      SET springhouse.user_id = 'ada';
      DELETE FROM things;
    `);

    expect(log(schema)).toEqual([
      {
        entity_type: "things",
        entity_id: "1",
        action: "create",
        user_id: null,
        changes: {
          id: { new: 1 },
          big: { new: "9223372036854775807" },
          flag: { new: true },
          data: { new: { a: [1] } },
          bytes: { new: { hex: "00ff" } },
          at: { new: 0 },
        },
      },
      {
        entity_type: "things",
        entity_id: "1",
        action: "update",
        user_id: null,
        changes: {
          flag: { old: true, new: null },
          bytes: { old: { hex: "00ff" }, new: { bytes: 65 } },
        },
      },
      expect.objectContaining({ action: "delete", user_id: "ada" }),
    ]);
  });

  it("takes tables with more columns than a function has arguments, and keys of several", () => {
    using schema = new PostgresSchema();
    prepare(schema);

    schema.run(`INSERT INTO wide (a, b) VALUES (1, '${UUID}'); UPDATE wide SET c119 = 5, a = 2`);

    const [created, updated] = log(schema);
    expect(JSON.parse(String(created?.["entity_id"]))).toEqual([1, UUID]);
    expect(Object.keys(created?.["changes"] as object)).toHaveLength(122);
    expect(updated).toMatchObject({
      entity_id: created?.["entity_id"],
      changes: { a: { old: 1, new: 2 }, c119: { old: 119, new: 5 } },
    });
  });

  it("cannot be changed, and goes with the transaction", () => {
    using schema = new PostgresSchema();
    prepare(schema);
    schema.run("INSERT INTO things (id) VALUES (1)");

    schema.run("BEGIN; INSERT INTO things (id) VALUES (2); ROLLBACK");

    for (const attack of [
      "UPDATE audit_log SET user_id = 'eve'",
      "DELETE FROM audit_log",
      "TRUNCATE audit_log",
    ]) {
      expect(() => schema.run(attack)).toThrow(/append-only/);
    }
    expect(log(schema)).toHaveLength(1);
  });
});
