import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";

const Media = entity(
  "media",
  { id: t.text().primaryKey(), code: t.int().unique(), title: t.text(), note: t.text().nullable() },
  { search: ["title", "note"] },
);
const Numbered = entity(
  "notes",
  { id: t.int().primaryKey(), text: t.text() },
  { search: ["text"] },
);
const schema = physicalSchema(createCatalog([Media, Numbered]), "sqlite");

let db: DatabaseSync;

beforeEach(() => {
  db = new DatabaseSync(":memory:");
  for (const sql of createStatements(schema)) db.exec(sql);
});

afterEach(() => {
  db.close();
});

function find(words: string): readonly unknown[] {
  return db
    .prepare(
      "SELECT m.id FROM media AS m JOIN media_search AS s ON s.rowid = m.rowid " +
        "WHERE media_search MATCH ? ORDER BY m.id",
    )
    .all(`"${words.replaceAll('"', '""')}"`)
    .map(({ id }) => id);
}

function add(id: string, code: number, title: string, or = ""): void {
  db.prepare(`INSERT ${or} INTO media (id, code, title) VALUES (?, ?, ?)`).run(id, code, title);
}

describe("the search of a table", () => {
  it("finds parts of words, in any case and any script", () => {
    add("a", 1, "The Springhouse");
    add("b", 2, "데이터베이스 입문");
    add("c", 3, 'say "hello"');

    expect(find("INGHO")).toEqual(["a"]);
    expect(find("베이스")).toEqual(["b"]);
    expect(find('"hel')).toEqual(["c"]);
    expect(find("spring data")).toEqual([]);
  });

  it("follows updates, deletions and NULL", () => {
    add("a", 1, "first title");
    db.exec("UPDATE media SET note = 'remarkable' WHERE id = 'a'");

    expect(find("remark")).toEqual(["a"]);

    db.exec("UPDATE media SET title = 'second', note = NULL, id = 'b' WHERE id = 'a'");

    expect([find("first"), find("remark"), find("second")]).toEqual([[], [], ["b"]]);

    db.exec("DELETE FROM media");

    expect(find("second")).toEqual([]);
  });

  it("stays true when REPLACE removes rows without a trigger", () => {
    add("a", 1, "alpha one");
    add("b", 2, "beta two");

    add("a", 2, "gamma", "OR REPLACE");

    expect([find("alpha"), find("beta"), find("gamma")]).toEqual([[], [], ["a"]]);
  });

  it("joins by rowids that VACUUM keeps", () => {
    for (let at = 0; at < 50; at++) add(`k${at}`, at, `title number ${at} of many`);
    db.exec("DELETE FROM media WHERE code % 3 = 0");

    db.exec("VACUUM");

    expect(find("number 49")).toEqual(["k49"]);
    expect(find("number 48")).toEqual([]);
    expect(find("of many")).toHaveLength(33);
  });

  it("can be made for a table that has rows already", () => {
    const table = schema.objects.find(
      ({ kind, table }) => kind === "virtual table" && table === "media",
    );
    db.exec("DROP TABLE media_search; DROP TRIGGER springhouse_search_media_insert");
    db.exec("INSERT INTO media (id, code, title) VALUES ('a', 1, 'earlier')");

    db.exec(table?.sql ?? "");
    db.exec(table?.fill ?? "");

    expect(find("earl")).toEqual(["a"]);
  });

  it("uses the number of a row where the key is one", () => {
    db.exec("INSERT INTO notes VALUES (7, 'number seven')");
    db.exec("UPDATE notes SET id = 9");

    const rows = db
      .prepare("SELECT rowid FROM notes_search WHERE notes_search MATCH 'seven'")
      .all();

    expect(rows).toMatchObject([{ rowid: 9 }]);
  });

  it("equals a scan after any writes", () => {
    const word = fc.constantFrom("alpha", "beta", "gamma", "delta");
    const key = fc.constantFrom("a", "b", "c", "d");
    const code = fc.integer({ min: 1, max: 4 });
    const policy = fc.constantFrom("", "OR REPLACE", "OR IGNORE");
    const write = fc.record({
      kind: fc.constantFrom("insert", "update", "delete"),
      policy,
      key,
      code,
      word,
      to: key,
    });

    fc.assert(
      fc.property(fc.array(write, { maxLength: 25 }), (writes) => {
        db.exec("DELETE FROM media");
        for (const { kind, policy, key, code, word, to } of writes) {
          try {
            if (kind === "insert") add(key, code, word, policy);
            else if (kind === "delete") db.prepare("DELETE FROM media WHERE id = ?").run(key);
            else {
              db.prepare(`UPDATE ${policy} media SET id = ?, code = ?, title = ? WHERE id = ?`).run(
                to,
                code,
                word,
                key,
              );
            }
          } catch (error) {
            expect(String(error)).toContain("UNIQUE");
          }
        }

        for (const title of ["alpha", "beta", "gamma", "delta"]) {
          const scan = db.prepare("SELECT id FROM media WHERE title = ? ORDER BY id").all(title);
          expect(find(title)).toEqual(scan.map(({ id }) => id));
        }
        db.exec("INSERT INTO media_search (media_search) VALUES ('integrity-check')");
      }),
    );
  });
});
