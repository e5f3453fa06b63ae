import { describe, expect, it, onTestFinished } from "vitest";
import { entity, open, t } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { openPlainly } from "./support.ts";

const Person = entity("people", { id: t.int().primaryKey(), name: t.text() });

/** One person, "Anna", in a file of that encoding. */
async function openPeople(encoding: string) {
  const path = temporaryPath();
  const others = openPlainly(path);
  others.exec(`PRAGMA encoding = '${encoding}'; PRAGMA journal_mode = WAL;
    CREATE TABLE people (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL) STRICT;
    INSERT INTO people VALUES (1, 'Anna')`);
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Person],
    schema: "ignore",
    cache: { freshness: "strict" },
  });
  onTestFinished(() => db.close());
  const people = db.query.selectFrom("people").select("id").orderBy("id");
  return { db, others, people };
}

describe.each(["UTF-16le", "UTF-16be"])("a file in %s", (encoding) => {
  it("has no stale result of a condition on the order of texts, whoever writes", async () => {
    const { db, others, people } = await openPeople(encoding);
    const queries = [
      people.where("name", "<", "B"),
      people.where("name", ">", "\uFF00"),
      people.where((e) => e.between("name", "K", "L")),
      people.where((e) => e.not(e("name", ">=", "B"))),
    ];
    const all = db.cached("all", () => Promise.all(queries.map((query) => query.execute())));
    const fresh = () => Promise.all(queries.map((query) => query.execute()));
    await all();

    for (const [at, name] of ["\u0100ris", "\u0141ukasz", "\u040C", "\u{1F600}"].entries()) {
      if (at % 2 === 0) await db.repository(Person).create({ id: 10 + at, name });
      else others.prepare("INSERT INTO people VALUES (?, ?)").run(10 + at, name);
      expect(await all()).toEqual(await fresh());
    }
  });

  it("has results that stay when texts are told apart", async () => {
    const { db, people } = await openPeople(encoding);
    const anna = db.cached("anna", () => people.where("name", "=", "Anna").execute());
    await anna();

    await db.repository(Person).create({ id: 2, name: "\u0100ris" });
    expect(anna.peek()).toEqual([{ id: 1 }]);
    await db.repository(Person).create({ id: 3, name: "Anna" });
    expect(await anna()).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it("refuses a unit of work that has read what is changed since", async () => {
    const { db } = await openPeople(encoding);
    const unit = db.unitOfWork();
    const seen = await unit.repository(Person).list({ where: { name: { lt: "B" } } });
    await unit.repository(Person).add({ id: 9, name: `z ${seen.length}` });

    await db.repository(Person).create({ id: 2, name: "\u0100ris" });

    await expect(unit.commit()).rejects.toMatchObject({ code: "CONFLICT" });
  });
});
