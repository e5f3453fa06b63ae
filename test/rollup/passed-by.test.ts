/** Rollups of a file in which somebody else's triggers get before ours. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { count, entity, open, rollup, sum, t } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";

const Task = entity("ts", {
  id: t.int().primaryKey(),
  week: t.int().index(),
  dur: t.int().default(0),
});
const Weeks = rollup("weeks", Task, {
  by: { week: Task.week },
  measures: { tasks: count(), total: sum(Task.dur) },
});

let path: string;
let warnings: string[];

beforeEach(() => {
  path = temporaryPath();
  warnings = [];
  const listen = (warning: unknown): void => {
    warnings.push((warning as { code: string }).code);
  };
  subscribe("springhouse:warning", listen);
  onTestFinished(() => {
    unsubscribe("springhouse:warning", listen);
  });
});

async function openDb(options: { readonly readOnly?: boolean } = {}) {
  const url = `sqlite:///${path}`;
  const db = await open({ url, entities: [Task], rollups: [Weeks], ...options });
  onTestFinished(() => db.close());
  return db;
}

type Db = Awaited<ReturnType<typeof openDb>>;

function foreign(sql: string): void {
  using other = new DatabaseSync(path);
  other.exec(sql);
}

const state = async (db: Db): Promise<string | undefined> => (await db.rollups.state())[0]?.state;
const MINE = `CREATE TRIGGER mine AFTER INSERT ON ts BEGIN
  UPDATE ts SET dur = dur + 1 WHERE id = NEW.id; END`;
const INSERT = "INSERT INTO ts (week, dur) VALUES (1, 10)";

const READS: readonly (readonly [string, (db: Db) => () => Promise<unknown>])[] = [
  ["repositories", (db) => async () => (await db.repository(Weeks).get(1))?.total],
  [
    "Kysely",
    (db) => async () => {
      const row = await db.query.selectFrom("weeks").select("total").executeTakeFirst();
      return row?.total;
    },
  ],
  [
    "SQL over a view of the application",
    (db) => async () => (await db.execute("SELECT total FROM of_weeks")).rows[0]?.["total"],
  ],
  [
    "streams",
    (db) => async () => {
      for await (const row of db.query.selectFrom("weeks").select("total").stream()) {
        return row.total;
      }
      return undefined;
    },
  ],
  [
    "transactions",
    (db) => () => db.transaction(async (tx) => (await tx.repository(Weeks).get(1))?.total),
  ],
  [
    "cached functions",
    (db) => {
      const cached = db.cached("total", (q) =>
        q.selectFrom("weeks").select("total").executeTakeFirst(),
      );
      return async () => (await cached())?.total;
    },
  ],
];

describe("a rollup under a trigger that is newer than ours", () => {
  it.each(READS)("is read right while the database is open, by %s", async (_, reader) => {
    const db = await openDb();
    foreign("CREATE VIEW of_weeks AS SELECT * FROM weeks");
    const total = reader(db);
    await db.repository(Task).create({ id: 1, week: 1, dur: 5 });
    expect(await total()).toBe(5);

    foreign(`${MINE}; DELETE FROM ts; ${INSERT}`);
    const passedBy = await total();
    await db.repository(Task).create({ id: 99, week: 1, dur: 5 });

    expect([passedBy, await total()]).toEqual([11, 17]);
    expect(new Set(warnings)).toEqual(new Set(["ROLLUP_BROKEN"]));
  });

  it("is read from its source after a restart, until it is rebuilt", async () => {
    await (await openDb()).close();
    foreign(`${MINE}; ${INSERT}`);

    const db = await openDb();
    const found = await db.repository(Weeks).get(1);
    const before = await state(db);
    await db.rollups.rebuild();

    expect(warnings).toEqual(["ROLLUP_BROKEN"]);
    expect([found?.total, before, await state(db)]).toEqual([11, "broken", "kept"]);
    foreign(`DELETE FROM ts; ${INSERT}`);
    expect(await db.repository(Weeks).get(1)).toMatchObject({ tasks: 1, total: 11 });
    expect(await db.rollups.verify()).toMatchObject([{ ok: true }]);
  });

  it.each(["a restart", "a look at its state"])(
    "stays so after %s when the trigger is gone, until it is rebuilt",
    async (look) => {
      let db = await openDb();
      foreign(`${MINE}; ${INSERT}`);
      if (look === "a restart") {
        await db.close();
        db = await openDb();
      } else {
        await db.rollups.state();
      }
      foreign("DROP TRIGGER mine");
      await db.close();

      db = await openDb();

      expect([await state(db), (await db.repository(Weeks).get(1))?.total]).toEqual([
        "rebuilding",
        11,
      ]);
      await db.rollups.rebuild();
      expect([await state(db), (await db.repository(Weeks).get(1))?.total]).toEqual(["kept", 11]);
    },
  );

  it("is refused when the file is open for reading only", async () => {
    await (await openDb()).close();
    foreign(`${MINE}; ${INSERT}`);

    const db = await openDb({ readOnly: true });
    const total = db.cached("total", () => db.execute("SELECT total FROM weeks"));
    const refusal = {
      code: "SCHEMA_MISMATCH",
      message: expect.stringMatching(/^weeks may be wrong, .*trigger mine writes, and is newer/),
    };

    await expect(db.repository(Weeks).get(1)).rejects.toMatchObject(refusal);
    await expect(total()).rejects.toMatchObject(refusal);
    expect(await db.repository(Task).count()).toBe(1);
  });

  it("counts as passed by when the trigger only ends the statement", async () => {
    const db = await openDb();
    foreign(`CREATE TRIGGER mine AFTER INSERT ON ts BEGIN SELECT RAISE(IGNORE); END; ${INSERT}`);

    expect(await db.repository(Weeks).get(1)).toMatchObject({ tasks: 1, total: 10 });
    await db.rollups.rebuild();
    foreign(INSERT);

    expect([await state(db), (await db.repository(Weeks).get(1))?.total]).toEqual(["kept", 20]);
  });
});

describe("a rollup that nothing helps", () => {
  it("is read from its source also behind a rebuild", async () => {
    const db = await openDb();
    foreign(`CREATE TRIGGER mine BEFORE INSERT ON ts BEGIN
      DELETE FROM ts WHERE week = NEW.week AND id <> NEW.id; END`);
    await db.repository(Task).create({ id: 1, week: 1, dur: 5 });

    await db.rollups.rebuild();
    foreign('UPDATE springhouse_rollup_weeks SET ".rows" = 7');

    expect(await db.repository(Weeks).get(1)).toMatchObject({ tasks: 1, total: 5 });
    foreign("DROP TRIGGER mine");
    expect(await state(db)).toBe("rebuilding");
    await db.rollups.rebuild();
    expect(await state(db)).toBe("kept");
  });

  it("is read from its source when a trigger of ours was dropped while it was open", async () => {
    const db = await openDb();
    await db.repository(Task).create({ id: 1, week: 1, dur: 5 });
    foreign(`DROP TRIGGER "springhouse_rollup_weeks.insert"; ${INSERT}`);

    expect(await db.repository(Weeks).get(1)).toMatchObject({ tasks: 2, total: 15 });
    expect(await state(db)).toBe("broken");
  });
});
