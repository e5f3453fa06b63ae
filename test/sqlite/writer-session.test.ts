/** The writer's work without its thread: groups, transactions, and what goes wrong in them. */

import { statSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { Connection } from "../../src/sqlite/connection.ts";
import { CursorTable } from "../../src/sqlite/cursor-table.ts";
import { DeferredKeys } from "../../src/sqlite/deferred-keys.ts";
import {
  decodeOutcomes,
  encodeGroup,
  type Outcome,
  type WireOutcomes,
} from "../../src/sqlite/group-wire.ts";
import type { WireChunk, WireResult } from "../../src/sqlite/protocol.ts";
import type { SqlValue, Statement } from "../../src/sqlite/values.ts";
import { runGroup } from "../../src/sqlite/write-group.ts";
import { WriterSession } from "../../src/sqlite/writer-session.ts";
import { FakeClock, openGate, sql, temporaryPath } from "./support.ts";

const child = (name: string, when: string): Statement =>
  sql(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent ${when})`);
/** A table with a foreign key that is checked at the commit. */
const deferred = child("late", "DEFERRABLE INITIALLY DEFERRED");

const SCHEMA = [
  sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)"),
  sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)"),
  child("child", ""),
];

interface Bench {
  readonly session: WriterSession;
  readonly path: string;
  close(): void;
  group(...units: (readonly Statement[])[]): readonly Outcome[];
  values(text: string): SqlValue[];
}

function open(): Bench {
  const path = temporaryPath();
  const data = { path, profile: "durable", busyTimeoutMs: 20 } as const;
  const session = new WriterSession(data, new FakeClock(), () => undefined);
  const reader = new Connection({ path, readOnly: true, pragmas: [] });
  let closed = false;
  const close = (): void => {
    reader.close();
    if (!closed) session.handle({ kind: "close" });
    closed = true;
  };
  onTestFinished(close);
  const group = (...units: (readonly Statement[])[]): readonly Outcome[] =>
    decodeOutcomes(
      session.handle({ kind: "group", group: encodeGroup(units) }) as WireOutcomes,
      units,
    );
  group(SCHEMA);
  return {
    session,
    path,
    group,
    close,
    values: (text) => reader.askAll(text).map(([value]) => value ?? null),
  };
}

const put = (id: number, v: string): Statement => sql("INSERT INTO t VALUES (?, ?)", id, v);
const codes = (outcomes: readonly Outcome[]): (string | undefined)[] =>
  outcomes.map(({ error }) => error?.code);

describe("a group of units", () => {
  it("commits them all, each with its own results", () => {
    const { group, values } = open();

    const outcomes = group(
      [put(1, "a"), sql("SELECT v FROM t WHERE id = 1")],
      [sql("UPDATE t SET v = 'b' WHERE id = 1 RETURNING v")],
    );

    expect(outcomes).toEqual([
      {
        results: [
          expect.objectContaining({ changes: 1 }),
          expect.objectContaining({ rows: [["a"]] }),
        ],
      },
      { results: [expect.objectContaining({ changes: 1, rows: [["b"]] })] },
    ]);
    expect(values("SELECT v FROM t")).toEqual(["b"]);
  });

  it("takes back a failed unit whole and keeps its neighbours", () => {
    const { group, values } = open();

    const outcomes = group([put(1, "a")], [put(2, "b"), put(3, "a")], [put(4, "c")]);

    expect(codes(outcomes)).toEqual([undefined, "CONSTRAINT", undefined]);
    expect(values("SELECT id FROM t ORDER BY id")).toEqual([1, 4]);
  });

  it("keeps rows of OR FAIL out when the unit fails", () => {
    const { group, values } = open();

    group([sql("INSERT OR FAIL INTO t VALUES (1, 'a'), (2, 'b'), (3, 'a')")], [put(9, "z")]);

    expect(values("SELECT id FROM t")).toEqual([9]);
  });

  it("runs its units again one by one when one rolls all of them back", () => {
    const { group, values } = open();

    const outcomes = group(
      [put(1, "a")],
      [sql("INSERT OR ROLLBACK INTO t VALUES (2, 'a')")],
      [put(3, "c")],
    );

    expect(codes(outcomes)).toEqual([undefined, "CONSTRAINT", undefined]);
    expect(values("SELECT id FROM t ORDER BY id")).toEqual([1, 3]);
  });

  it("finds the unit whose deferred foreign key fails the commit", () => {
    const { group, values } = open();
    group([deferred]);

    const outcomes = group(
      [put(1, "a")],
      [sql("INSERT INTO late VALUES (1, 77)")],
      [sql("INSERT INTO late VALUES (2, 5)"), sql("INSERT INTO parent VALUES (5)")],
    );

    expect(codes(outcomes)).toEqual([undefined, "CONSTRAINT", undefined]);
    expect(outcomes[1]?.error?.fields["kind"]).toBe("foreignKey");
    expect(values("SELECT id FROM late")).toEqual([2]);
    expect(values("SELECT id FROM t")).toEqual([1]);
  });

  it("of one unit fails at the commit without running it again", () => {
    const { group, values } = open();
    group([deferred]);

    expect(codes(group([sql("INSERT INTO late VALUES (1, 77)")]))).toEqual(["CONSTRAINT"]);
    expect(values("SELECT count(*) FROM late")).toEqual([0]);
  });

  it("survives a trigger that raises a rollback", () => {
    const { group, values } = open();
    const body = "SELECT RAISE(ROLLBACK, 'no')";
    group([sql(`CREATE TRIGGER g BEFORE INSERT ON parent BEGIN ${body}; END`)]);

    const outcomes = group([put(1, "a")], [sql("INSERT INTO parent VALUES (1)")], [put(2, "b")]);

    expect(codes(outcomes)).toEqual([undefined, "CONSTRAINT", undefined]);
    expect(values("SELECT id FROM t ORDER BY id")).toEqual([1, 2]);
  });

  it("is refused with BUSY when another process keeps the lock for too long", () => {
    const { group, path, values } = open();
    const other = new Connection({ path, readOnly: false, pragmas: [] });
    onTestFinished(() => other.close());
    other.control("BEGIN IMMEDIATE");

    const outcomes = group([put(1, "a")], [put(2, "b")]);
    other.control("COMMIT");

    expect(codes(outcomes)).toEqual(["BUSY", "BUSY"]);
    expect(codes(group([put(1, "a")]))).toEqual([undefined]);
    expect(values("SELECT id FROM t")).toEqual([1]);
  });

  it("on a full disk fails, leaves nothing, and works again when there is space", () => {
    const path = temporaryPath();
    const pragmas = ["journal_mode = WAL", "max_page_count = 20"];
    using connection = new Connection({ path, readOnly: false, pragmas });
    const cursors = new CursorTable();
    const keys = new DeferredKeys(connection);
    const group = (...units: (readonly Statement[])[]): Outcome[] =>
      runGroup(connection, cursors, openGate(connection), units, keys);
    group([sql("CREATE TABLE t (v)")]);

    const outcomes = group(
      [sql("INSERT INTO t VALUES (1)")],
      [sql("INSERT INTO t VALUES (zeroblob(200000))")],
      [sql("INSERT INTO t VALUES (2)")],
    );

    expect(codes(outcomes)).toEqual([undefined, "DISK_FULL", undefined]);
    expect(connection.askAll("SELECT v FROM t ORDER BY v")).toEqual([[1], [2]]);
    expect(connection.ask("PRAGMA integrity_check")).toEqual(["ok"]);
  });
});

describe("a large result of a write", () => {
  it("stays behind a cursor until it is fetched", () => {
    const { session, group } = open();
    const many = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) ";

    const [outcome] = group([sql(`${many} INSERT INTO t SELECT i, 'v' || i FROM n RETURNING id`)]);
    const result = (outcome as { results: WireResult[] }).results[0] as WireResult;
    const cursor = result.cursor as number;
    const fetch = (): WireChunk =>
      session.handle({ kind: "fetch", cursor, chunkRows: 500 }) as WireChunk;

    expect(result.rows.length).toBe(500);
    expect(result.changes).toBe(1_200);
    expect(fetch()).toMatchObject({ done: false });
    expect(fetch()).toMatchObject({ done: true, rows: expect.objectContaining({ length: 200 }) });
    expect(() => fetch()).toThrow(expect.objectContaining({ code: "TRANSACTION_ENDED" }));
  });

  it("shares one message with its neighbours", () => {
    const { group } = open();
    const rows = Array.from({ length: 400 }, (_, i) => put(i, `v${i}`));
    group(rows);

    const outcomes = group(...Array.from({ length: 10 }, () => [sql("SELECT * FROM t")]));
    const sent = outcomes.map((outcome) => (outcome as { results: WireResult[] }).results[0]);

    expect(sent.reduce((sum, result) => sum + (result?.rows.length ?? 0), 0)).toBe(2_000);
    expect(sent.filter((result) => result?.cursor !== undefined).length).toBe(5);
  });
});

describe("a transaction", () => {
  it("commits what it wrote and reads its own writes", () => {
    const { session, values } = open();

    session.handle({ kind: "begin", foreignKeys: true });
    session.handle({ kind: "unit", statements: [put(1, "a")] });
    const inside = session.handle({
      kind: "query",
      statement: sql("SELECT id FROM t"),
      chunkRows: 10,
    }) as WireResult;
    const outside = values("SELECT id FROM t");
    session.handle({ kind: "commit" });

    expect(inside.rows).toEqual([[1]]);
    expect(outside).toEqual([]);
    expect(values("SELECT id FROM t")).toEqual([1]);
  });

  it("takes back a failed unit and goes on", () => {
    const { session, values } = open();

    session.handle({ kind: "begin", foreignKeys: true });
    session.handle({ kind: "unit", statements: [put(1, "a")] });
    expect(() => session.handle({ kind: "unit", statements: [put(2, "b"), put(3, "a")] })).toThrow(
      expect.objectContaining({ code: "CONSTRAINT" }),
    );
    session.handle({ kind: "commit" });

    expect(values("SELECT id FROM t")).toEqual([1]);
  });

  it("that was rolled back from inside refuses everything after it", () => {
    const { session, values } = open();

    session.handle({ kind: "begin", foreignKeys: true });
    session.handle({ kind: "unit", statements: [put(1, "a")] });
    const fatal = [sql("INSERT OR ROLLBACK INTO t VALUES (1, 'x')")];
    expect(() => session.handle({ kind: "unit", statements: fatal })).toThrow(
      expect.objectContaining({ code: "CONSTRAINT" }),
    );

    for (const request of [
      { kind: "unit", statements: [put(2, "b")] },
      { kind: "rows", sql: "INSERT INTO t VALUES (?, ?)", rows: [[3, "c"]] },
      { kind: "query", statement: sql("SELECT 1"), chunkRows: 1 },
      { kind: "savepoint", depth: 1 },
      { kind: "commit" },
    ] as const) {
      expect(() => session.handle(request)).toThrow(
        expect.objectContaining({ code: "TRANSACTION_ENDED" }),
      );
    }
    expect(values("SELECT count(*) FROM t")).toEqual([0]);
  });

  it("whose commit fails is rolled back and leaves the writer free", () => {
    const { session, group, values } = open();
    group([deferred]);

    session.handle({ kind: "begin", foreignKeys: true });
    session.handle({ kind: "unit", statements: [sql("INSERT INTO late VALUES (1, 9)")] });
    expect(() => session.handle({ kind: "commit" })).toThrow(
      expect.objectContaining({ code: "CONSTRAINT" }),
    );

    expect(codes(group([put(1, "a")]))).toEqual([undefined]);
    expect(values("SELECT count(*) FROM late")).toEqual([0]);
  });

  it("switches foreign keys off for itself only", () => {
    const { session, group } = open();
    const orphan = [sql("INSERT INTO child VALUES (1, 9)")];

    session.handle({ kind: "begin", foreignKeys: false });
    session.handle({ kind: "unit", statements: orphan });
    session.handle({ kind: "commit" });

    expect(codes(group([sql("INSERT INTO child VALUES (2, 9)")]))).toEqual(["CONSTRAINT"]);
  });

  it.each(["rollback", "failed begin"])("switches foreign keys on again after a %s", (how) => {
    const { session, group, path } = open();

    if (how === "rollback") {
      session.handle({ kind: "begin", foreignKeys: false });
      session.handle({ kind: "rollback" });
    } else {
      using other = new Connection({ path, readOnly: false, pragmas: [] });
      other.control("BEGIN IMMEDIATE");
      expect(() => session.handle({ kind: "begin", foreignKeys: false })).toThrow(
        expect.objectContaining({ code: "BUSY" }),
      );
      other.control("ROLLBACK");
    }

    expect(codes(group([sql("INSERT INTO child VALUES (2, 9)")]))).toEqual(["CONSTRAINT"]);
  });

  it("ends with its open reads", () => {
    const { session, group } = open();
    group(Array.from({ length: 20 }, (_, i) => put(i, `v${i}`)));

    session.handle({ kind: "begin", foreignKeys: true });
    const { cursor } = session.handle({
      kind: "query",
      statement: sql("SELECT * FROM t"),
      chunkRows: 5,
    }) as WireResult;
    session.handle({ kind: "commit" });

    const fetch = { kind: "fetch", cursor: cursor as number, chunkRows: 5 } as const;
    expect(() => session.handle(fetch)).toThrow(
      expect.objectContaining({ code: "TRANSACTION_ENDED" }),
    );
    expect(codes(group([sql("DROP TABLE t")]))).toEqual([undefined]);
  });
});

describe("the writer", () => {
  it("puts the durable settings in force", () => {
    const { session } = open();

    expect(session.handle({ kind: "settings" })).toMatchObject({
      journal_mode: "wal",
      synchronous: 2,
      foreign_keys: 1,
      journal_size_limit: 67_108_864,
      wal_autocheckpoint: 0,
      mmap_size: 0,
      trusted_schema: 0,
      busy_timeout: 0,
    });
  });

  it("leaves one file when it is closed", () => {
    const { group, path, close } = open();
    group([put(1, "a")]);

    close();

    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    using connection = new Connection({ path, readOnly: false, pragmas: [] });
    expect(connection.askAll("SELECT id FROM t")).toEqual([[1]]);
  });
});
