import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withAudit } from "../../src/capture/audit.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { Entity } from "../../src/schema/types.ts";

const Thing = entity(
  "things",
  {
    id: t.int().primaryKey(),
    big: t.bigint().nullable(),
    flag: t.boolean().nullable(),
    data: t.json().nullable(),
    bytes: t.blob().nullable(),
    name: t.text().nullable().column("odd 'name'"),
    at: t.timestamp().nullable(),
    ratio: t.real().nullable(),
  },
  { audit: true },
);
const Pair = entity(
  "pairs",
  { a: t.int(), b: t.text(), code: t.int().nullable().unique(), live: t.boolean().default(false) },
  {
    primaryKey: ["a", "b"],
    indexes: [{ on: ["a"], unique: true, where: "live = 1" }],
    audit: true,
  },
);
const Child = entity(
  "children",
  { id: t.int().primaryKey(), thingId: t.int().references("things.id", { onDelete: "cascade" }) },
  { audit: true },
);
const Quiet = entity("quiet", { id: t.int().primaryKey() });

interface Entry {
  readonly type: string;
  readonly id: string;
  readonly action: string;
  readonly user: string | null;
  readonly changes: Readonly<Record<string, { old?: unknown; new?: unknown }>>;
}

function create(...entities: readonly Entity[]): DatabaseSync {
  const catalog = createCatalog(entities);
  const db = new DatabaseSync(":memory:");
  for (const sql of createStatements(withAudit(physicalSchema(catalog, "sqlite"), catalog))) {
    db.exec(sql);
  }
  return db;
}

let db: DatabaseSync;

beforeEach(() => {
  db = create(Thing, Pair, Child, Quiet);
});

afterEach(() => {
  db.close();
});

function entries(): readonly Entry[] {
  return db
    .prepare("SELECT * FROM audit_log ORDER BY id")
    .all()
    .map((row) => ({
      type: String(row["entity_type"]),
      id: String(row["entity_id"]),
      action: String(row["action"]),
      user: row["user_id"] as string | null,
      changes: JSON.parse(String(row["changes"])) as Entry["changes"],
    }));
}

describe("the audit log on SQLite", () => {
  it("tells creation, change and deletion with old and new values", () => {
    db.exec("INSERT INTO things (id, ratio) VALUES (1, 0.5)");
    db.exec("UPDATE things SET ratio = 2.5, flag = 1");
    db.exec("DELETE FROM things");

    const log = entries();

    expect(log.map(({ type, id, action }) => [type, id, action])).toEqual([
      ["things", "1", "create"],
      ["things", "1", "update"],
      ["things", "1", "delete"],
    ]);
    expect(log[0]?.changes).toMatchObject({
      id: { new: 1 },
      ratio: { new: 0.5 },
      flag: { new: null },
    });
    expect(log[1]?.changes).toEqual({
      ratio: { old: 0.5, new: 2.5 },
      flag: { old: null, new: true },
    });
    expect(log[2]?.changes).toMatchObject({ id: { old: 1 }, ratio: { old: 2.5 } });
  });

  it("stamps every entry with the present moment", () => {
    db.exec("INSERT INTO things (id) VALUES (1)");

    const { timestamp } = db.prepare("SELECT timestamp FROM audit_log").get() ?? {};

    expect(Math.abs(Number(timestamp) - Date.now())).toBeLessThan(60_000);
  });

  it("names the acting user while one is set", () => {
    db.exec("INSERT INTO things (id) VALUES (1)");
    db.exec("INSERT INTO springhouse_actor VALUES (1, 'ada')");
    db.exec("INSERT INTO things (id) VALUES (2)");
    db.exec("UPDATE springhouse_actor SET user_id = NULL");
    db.exec("DELETE FROM things WHERE id = 1");

    expect(entries().map(({ user }) => user)).toEqual([null, "ada", null]);
    expect(() => db.exec("INSERT INTO springhouse_actor VALUES (2, 'bob')")).toThrow(/CHECK/);
  });

  it("writes nothing for an update that changes nothing, nor for other tables", () => {
    db.exec("INSERT INTO things (id, ratio) VALUES (1, 0.5)");

    db.exec("UPDATE things SET ratio = 0.5, big = NULL");
    db.exec("INSERT INTO quiet VALUES (1)");

    expect(entries()).toHaveLength(1);
  });

  it("keeps every kind of value, and none of them breaks the write", () => {
    const insert = db.prepare(
      `INSERT INTO things (id, big, flag, data, bytes, "odd 'name'", at, ratio)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?)`,
    );

    insert.run(
      2n ** 63n - 1n,
      0,
      '{"a":[1,null]}',
      new Uint8Array([0, 255]),
      'a"b\u0001',
      5,
      1e300,
    );
    db.prepare("UPDATE things SET bytes = ?, ratio = ?").run(
      new Uint8Array(65),
      Number.POSITIVE_INFINITY,
    );

    const [first, second] = entries();
    expect(first?.changes).toEqual({
      id: { new: 1 },
      big: { new: "9223372036854775807" },
      flag: { new: false },
      data: { new: { a: [1, null] } },
      bytes: { new: { hex: "00ff" } },
      "odd 'name'": { new: 'a"b\u0001' },
      at: { new: 5 },
      ratio: { new: 1e300 },
    });
    expect(second?.changes).toEqual({
      bytes: { old: { hex: "00ff" }, new: { bytes: 65 } },
      ratio: { old: 1e300, new: Number.POSITIVE_INFINITY },
    });
  });

  it("takes even values that no check has seen", () => {
    db.exec("PRAGMA ignore_check_constraints = ON");

    db.exec("INSERT INTO things (id, flag, data) VALUES (1, 7, '{broken')");

    expect(entries()[0]?.changes).toMatchObject({ flag: { new: null }, data: { new: "{broken" } });
  });

  it("joins a key of several columns as a JSON array, the old one when it changes", () => {
    db.exec("INSERT INTO pairs (a, b) VALUES (1, 'it''s')");
    db.exec("UPDATE pairs SET b = 'x'");

    const log = entries();

    expect(log.map(({ id }) => JSON.parse(id))).toEqual([
      [1, "it's"],
      [1, "it's"],
    ]);
    expect(log[1]?.changes).toEqual({ b: { old: "it's", new: "x" } });
  });

  it("sees rows that a cascade deletes, and outlives them", () => {
    db.exec("INSERT INTO things (id) VALUES (1)");
    db.exec("INSERT INTO children VALUES (5, 1)");

    db.exec("DELETE FROM things");

    expect(
      entries()
        .slice(2)
        .map(({ type, id, action }) => [type, id, action]),
    ).toEqual([
      ["children", "5", "delete"],
      ["things", "1", "delete"],
    ]);
  });

  it("goes with the transaction", () => {
    db.exec("BEGIN; INSERT INTO things (id) VALUES (1); ROLLBACK");

    expect(entries()).toEqual([]);
  });

  it("cannot be changed, emptied or overwritten", () => {
    db.exec("INSERT INTO things (id) VALUES (1)");
    const before = entries();

    for (const attack of [
      "UPDATE audit_log SET user_id = 'eve'",
      "UPDATE OR IGNORE audit_log SET user_id = 'eve'",
      "DELETE FROM audit_log",
      `REPLACE INTO audit_log (id, entity_type, entity_id, action, changes)
       VALUES (1, 'x', '1', 'create', '{}')`,
    ]) {
      expect(() => db.exec(attack)).toThrow(/audit_log is append-only/);
    }

    expect(entries()).toEqual(before);
  });

  it.each([0, 1])("tells what REPLACE deletes, with recursive_triggers %i", (recursive) => {
    db.exec(`PRAGMA recursive_triggers = ${recursive}`);
    db.exec("INSERT INTO pairs (a, b, code) VALUES (1, 'x', 10), (2, 'x', 20), (3, 'x', 30)");

    db.exec("REPLACE INTO pairs (a, b, code) VALUES (1, 'x', 20)");
    db.exec("UPDATE OR REPLACE pairs SET code = 20 WHERE a = 3");

    const told = entries()
      .slice(3)
      .map(({ id, action, changes }) => [action, JSON.parse(id)[0], changes["code"]]);
    // SQLite deletes the two rows in an order of its own.
    expect(told.slice(0, 2).sort((x, y) => x[1] - y[1])).toEqual([
      ["delete", 1, { old: 10 }],
      ["delete", 2, { old: 20 }],
    ]);
    expect(told.slice(2)).toEqual([
      ["create", 1, { new: 20 }],
      ["delete", 1, { old: 20 }],
      ["update", 3, { old: 30, new: 20 }],
    ]);
  });

  it("tells what REPLACE deletes when a row comes under a partial unique index", () => {
    db.exec("INSERT INTO pairs (a, b, live) VALUES (1, 'x', 1), (1, 'y', 0)");

    db.exec("UPDATE OR REPLACE pairs SET live = 1 WHERE b = 'y'");

    expect(
      entries()
        .slice(2)
        .map(({ id, action }) => [action, JSON.parse(id)]),
    ).toEqual([
      ["delete", [1, "x"]],
      ["update", [1, "y"]],
    ]);
  });

  it("does not take a row for deleted that an upsert or IGNORE has left", () => {
    db.exec("INSERT INTO pairs (a, b, code) VALUES (1, 'x', 10)");

    db.exec("INSERT OR IGNORE INTO pairs (a, b) VALUES (1, 'x')");
    db.exec(
      "INSERT INTO pairs (a, b, code) VALUES (1, 'x', 11) " +
        "ON CONFLICT (a, b) DO UPDATE SET code = excluded.code",
    );
    db.exec("INSERT INTO pairs (a, b) VALUES (2, 'x')");

    expect(entries().map(({ action }) => action)).toEqual(["create", "update", "create"]);
  });

  it("replayed from the start gives the table, after any writes by any means", () => {
    const a = fc.integer({ min: 1, max: 3 });
    const b = fc.constantFrom("x", "y");
    const code = fc.option(fc.integer({ min: 1, max: 3 }));
    const live = fc.constantFrom(0, 1);
    const write = fc.record({
      kind: fc.constantFrom("insert", "upsert", "update", "activate", "delete"),
      policy: fc.constantFrom("", "OR REPLACE", "OR IGNORE", "OR FAIL"),
      row: fc.tuple(a, b, code, live),
      of: fc.tuple(a, b),
    });
    type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;
    const run = ({ kind, policy, row, of }: Write): void => {
      const insert = "INTO pairs (a, b, code, live) VALUES (?, ?, ?, ?)";
      const set = "DO UPDATE SET a = excluded.a, code = excluded.code, live = excluded.live";
      if (kind === "insert") db.prepare(`INSERT ${policy} ${insert}`).run(...row);
      else if (kind === "upsert")
        db.prepare(`INSERT ${insert} ON CONFLICT (a, b) ${set}`).run(...row);
      else if (kind === "activate") {
        db.prepare(`UPDATE ${policy} pairs SET live = 1 WHERE b = ?`).run(of[1]);
      } else if (kind === "delete")
        db.prepare("DELETE FROM pairs WHERE a = ? AND b = ?").run(...of);
      else {
        const update = `UPDATE ${policy} pairs SET a = ?, b = ?, code = ?, live = ?`;
        db.prepare(`${update} WHERE a >= ? AND b = ?`).run(...row, ...of);
      }
    };

    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 20 }),
        fc.constantFrom(0, 1),
        (writes, recursive) => {
          db.close();
          db = create(Pair);
          db.exec(`PRAGMA recursive_triggers = ${recursive}`);
          for (const one of writes) {
            try {
              run(one);
            } catch (error) {
              expect(String(error)).toContain("UNIQUE");
            }
          }

          const rows = db
            .prepare("SELECT a, b, code, live = 1 AS live FROM pairs ORDER BY a, b")
            .all();
          expect(replay(entries())).toEqual(
            rows.map((row) => ({ ...row, live: Boolean(row["live"]) })),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The rows that a log leads to; fails when an entry does not fit what came before. */
function replay(log: readonly Entry[]): readonly Record<string, unknown>[] {
  const rows = new Map<string, Record<string, unknown>>();
  for (const { id, action, changes } of log) {
    const before = rows.get(id) ?? {};
    expect(rows.has(id)).toBe(action !== "create");
    for (const [name, { old }] of Object.entries(changes)) expect(before[name]).toEqual(old);
    rows.delete(id);
    if (action === "delete") continue;
    const after = { ...before };
    for (const [name, change] of Object.entries(changes)) after[name] = change.new;
    const key = JSON.stringify([after["a"], after["b"]]);
    expect(rows.has(key)).toBe(false);
    rows.set(key, after);
  }
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
}
