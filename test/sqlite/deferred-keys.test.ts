/** Groups of units whose foreign keys are checked at the commit. */

import { statSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { Connection } from "../../src/sqlite/connection.ts";
import { CursorTable } from "../../src/sqlite/cursor-table.ts";
import { DeferredKeys } from "../../src/sqlite/deferred-keys.ts";
import { writerPragmas } from "../../src/sqlite/pragmas.ts";
import type { SqlValue, Statement } from "../../src/sqlite/values.ts";
import { runGroup } from "../../src/sqlite/write-group.ts";
import { openGate, sql, temporaryPath } from "./support.ts";

const child = (name: string, when: string): Statement =>
  sql(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent ${when})`);
const deferred = child("late", "DEFERRABLE INITIALLY DEFERRED");
const put = (id: number): Statement => sql("INSERT INTO t VALUES (?)", id);

interface Bench {
  /** Runs a group; the code of each unit that failed. */
  group(...units: (readonly Statement[])[]): (string | undefined)[];
  values(text: string): SqlValue[];
  logBytes(): number;
}

function open(): Bench {
  const path = temporaryPath();
  const pragmas = [...writerPragmas("durable"), "journal_mode = WAL"];
  const connection = new Connection({ path, readOnly: false, pragmas });
  onTestFinished(() => connection.close());
  const cursors = new CursorTable();
  const keys = new DeferredKeys(connection);
  const group = (...units: (readonly Statement[])[]): (string | undefined)[] =>
    runGroup(connection, cursors, openGate(connection), units, keys).map(
      ({ error }) => error?.code,
    );
  group([sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)"), sql("CREATE TABLE t (id INTEGER)")]);
  return {
    group,
    values: (text) => connection.askAll(text).map(([value]) => value ?? null),
    logBytes: () => statSync(`${path}-wal`).size,
  };
}

describe("a group of units", () => {
  it.each([
    ["that was there before", [deferred], []],
    ["that one of them makes", [], [deferred]],
    ["by a setting of one of them", [child("late", "")], [sql("PRAGMA defer_foreign_keys = ON")]],
  ])("lets no unit pass for what another did with a deferred key %s", (_, before, within) => {
    const { group, values } = open();
    group(before);

    const outcomes = group(
      [put(1)],
      [...within, sql("INSERT INTO late VALUES (1, 5)")],
      [sql("INSERT INTO parent VALUES (5)")],
    );

    expect(outcomes).toEqual([undefined, "CONSTRAINT", undefined]);
    expect(values("SELECT id FROM parent")).toEqual([5]);
    expect(values("SELECT id FROM t")).toEqual([1]);
  });

  it("shares a commit again when the last deferred key is gone", () => {
    const { group, logBytes } = open();
    group([deferred]);
    group([put(1)], [put(2)]);
    group([sql("DROP TABLE late")]);
    const before = logBytes();

    group([put(3)], [put(4)]);
    const together = logBytes() - before;
    group([put(5)]);

    expect(logBytes() - before).toBe(2 * together);
  });
});
