/** The public SQL of a schema is what both databases take, and what `open` would have made. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { ddl, type Entity, entity, open, t } from "../../src/index.ts";
import { PostgresSchema, skipPostgres } from "../schema/psql.ts";

const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text().unique() });
const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
    title: t.text({ minLength: 1 }),
    data: t.json().default({ a: 1 }),
    score: t.int().default(0),
    createdAt: t.timestamp().defaultNow(),
  },
  {
    audit: true,
    search: ["title"],
    indexes: [{ on: ["weekId", { score: "desc" }], where: "score > 0" }],
    checks: [{ name: "ck_tasks_order", expression: "score >= -1 AND week_id > 0" }],
  },
);
// The referring table first: the statements come in an order that works.
const entities = [Task, Week] as const;

describe("ddl", () => {
  it("gives SQLite the schema that open finds to be as declared", async () => {
    const folder = await mkdtemp(join(tmpdir(), "springhouse-ddl-"));
    try {
      const path = join(folder, "app.db");
      const file = new DatabaseSync(path);
      for (const statement of ddl(entities, "sqlite")) file.exec(statement);
      file.close();

      await using db = await open({ url: `sqlite:${path}`, entities, schema: "check" });
      const { id } = await db.repository(Week).create({ label: "a" });
      await db.repository(Task).create({ weekId: id, title: "find me" });

      expect(await db.repository(Task).search("find")).toHaveLength(1);
      expect((await db.audit.list()).rows).toHaveLength(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.skipIf(skipPostgres)("gives PostgreSQL tables, checks, indexes and the audit log", () => {
    using schema = new PostgresSchema();
    for (const statement of ddl(entities, "postgres")) schema.run(`${statement};`);

    schema.run("INSERT INTO weeks (label) VALUES ('a');");
    schema.run("INSERT INTO tasks (week_id, title) VALUES (1, 'x');");

    expect(() =>
      schema.run("INSERT INTO tasks (week_id, title, score) VALUES (1, 'x', -2);"),
    ).toThrow("ck_tasks_order");
    expect(schema.rows("SELECT id, data, score FROM tasks")).toEqual([
      { id: 1, data: { a: 1 }, score: 0 },
    ]);
    expect(schema.rows("SELECT entity_type, action FROM audit_log")).toEqual([
      { entity_type: "tasks", action: "create" },
    ]);
  });

  it("refuses another dialect, and what is no list of entities", () => {
    const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });

    expect(() => ddl(entities, "mysql" as never)).toThrow(
      'ddl: the dialect is "sqlite" or "postgres", not "mysql".',
    );
    expect(() => ddl(entities, undefined as never)).toThrow(refused);
    expect(() => ddl(Week as unknown as readonly Entity[], "sqlite")).toThrow(refused);
    expect(() => ddl([Task], "postgres")).toThrow('refers to the table "weeks"');
  });
});
