/** The audit log of a table that refers to itself, whose replaced rows take others along. */

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withAudit } from "../../src/capture/audit.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";

const Node = entity(
  "nodes",
  {
    id: t.int().primaryKey(),
    code: t.int().unique(),
    alt: t.int().nullable().unique(),
    parentId: t.int().nullable().references("nodes.id", { onDelete: "cascade" }).index(),
  },
  { audit: true },
);

function create(): DatabaseSync {
  const catalog = createCatalog([Node]);
  const db = new DatabaseSync(":memory:");
  for (const sql of createStatements(withAudit(physicalSchema(catalog, "sqlite"), catalog))) {
    db.exec(sql);
  }
  return db;
}

/** What is left when the log is gone through from its start; it must fit at each step. */
function replay(db: DatabaseSync): readonly number[] {
  const ids = new Set<number>();
  for (const row of db.prepare("SELECT * FROM audit_log ORDER BY id").all()) {
    const id = Number(row["entity_id"]);
    const { id: key } = JSON.parse(String(row["changes"])) as { id?: { new?: number } };
    expect(ids.has(id)).toBe(row["action"] !== "create");
    if (row["action"] !== "create" && (row["action"] === "delete" || key !== undefined)) {
      ids.delete(id);
    }
    if (key?.new !== undefined) ids.add(key.new);
  }
  return [...ids].sort((a, b) => a - b);
}

function rowIds(db: DatabaseSync): readonly number[] {
  return db
    .prepare("SELECT id FROM nodes ORDER BY id")
    .all()
    .map(({ id }) => Number(id));
}

describe("rows that are replaced with those that refer to them", () => {
  let db: DatabaseSync;

  beforeEach(() => {
    db = create();
    db.exec("INSERT INTO nodes (id, code, parent_id) VALUES (1, 10, NULL), (2, 20, 1), (3, 30, 2)");
  });

  afterEach(() => db.close());

  const told = (): readonly unknown[] =>
    db
      .prepare("SELECT action, entity_id FROM audit_log WHERE id > 3 ORDER BY id")
      .all()
      .map(({ action, entity_id: id }) => `${String(action)} ${String(id)}`);

  it("are told, the replacing one among them", () => {
    db.exec("UPDATE OR REPLACE nodes SET code = 10 WHERE id = 3");

    expect(rowIds(db)).toEqual([]);
    expect(told().toSorted()).toEqual(["delete 1", "delete 2", "delete 3"]);
  });

  it("are told by an insert, and the new row after them", () => {
    db.exec("INSERT OR REPLACE INTO nodes (id, code) VALUES (1, 11)");

    expect(told().toSorted()).toEqual(["create 1", "delete 1", "delete 2", "delete 3"]);
    expect(told().at(-1)).toBe("create 1");
  });

  it("are not told twice when a note that was wrong precedes their deletion", () => {
    db.exec("INSERT OR IGNORE INTO nodes (id, code) VALUES (1, 11)");

    db.exec("DELETE FROM nodes WHERE id = 1");

    expect(told().toSorted()).toEqual(["delete 1", "delete 2", "delete 3"]);
  });

  it("can be replayed after any writes", () => {
    const small = fc.integer({ min: 1, max: 4 });
    const optional = fc.option(small);
    const write = fc.record({
      kind: fc.constantFrom("insert", "code", "alt", "move", "key", "delete"),
      policy: fc.constantFrom("", "OR REPLACE", "OR IGNORE"),
      values: fc.tuple(small, small, optional, optional),
    });
    const run = (kind: string, policy: string, values: readonly (number | null)[]): void => {
      const [id = 0, code = 0, alt = 0, parent = 0] = values;
      const update = `UPDATE ${policy} nodes SET`;
      const statements: Record<string, [string, ...(number | null)[]]> = {
        insert: [`INSERT ${policy} INTO nodes VALUES (?, ?, ?, ?)`, id, code, alt, parent],
        code: [`${update} code = ? WHERE id = ?`, code, id],
        alt: [`${update} alt = ? WHERE parent_id = ?`, alt, id],
        move: [`${update} code = ?, parent_id = ? WHERE id = ?`, code, parent, id],
        key: [`${update} id = ? WHERE code = ?`, id, code],
        delete: ["DELETE FROM nodes WHERE id = ?", id],
      };
      const [sql, ...parameters] = statements[kind] as [string, ...(number | null)[]];
      db.prepare(sql).run(...parameters);
    };

    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 15 }),
        fc.constantFrom(0, 1),
        (writes, recursive) => {
          db.close();
          db = create();
          db.exec(`PRAGMA recursive_triggers = ${recursive}`);
          for (const { kind, policy, values } of writes) {
            try {
              run(kind, policy, values);
            } catch (error) {
              expect(String(error)).toMatch(/constraint failed/);
            }
            expect(replay(db)).toEqual(rowIds(db));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
