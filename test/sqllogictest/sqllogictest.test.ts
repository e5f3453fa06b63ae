/** The short form of `npm run test:sqllogictest`, on files of our own, and the runner itself. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryPath } from "../sqlite/support.ts";
import { parseRecords } from "./records.ts";
import { type FileOutcome, runFile } from "./run-file.ts";
import { openSubject, type Rows, type Subject, Witness } from "./subject.ts";
import { formatted, isExpected } from "./values.ts";

const FILES = join(import.meta.dirname, "files");

async function runText(
  text: string,
  change: (subject: Subject) => Subject = (subject) => subject,
): Promise<FileOutcome> {
  const path = temporaryPath();
  await using subject = await openSubject(path);
  using witness = new Witness(path);
  return await runFile(text, change(subject), witness);
}

test.each(globSync("*.test", { cwd: FILES }))("%s gives what it says", async (name) => {
  const { counts, ...found } = await runText(readFileSync(join(FILES, name), "utf8"));

  expect(found).toEqual({ faults: [], otherwise: [], left: 0 });
  expect(counts.hits + counts.notCacheable).toBe(counts.queries);
  expect(counts.hits).toBeGreaterThan(counts.notCacheable);
  expect(counts.stale).toBe(0);
});

const WRITES = `statement ok
CREATE TABLE t (a)

query I nosort
SELECT count(*) FROM t
----
0

statement ok
INSERT INTO t VALUES (1)

query I nosort
SELECT 1
----
1
`;

describe("the runner", () => {
  test("finds a cache that forgets to drop a result", async () => {
    const outcome = await runText(WRITES, (subject) => {
      const kept = new Map<string, Rows>();
      return {
        ...subject,
        async ask(sql) {
          const rows = kept.get(sql) ?? (await subject.ask(sql));
          kept.set(sql, rows);
          return rows;
        },
        peek: (sql) => kept.get(sql),
      };
    });

    expect(outcome.counts.stale).toBe(2);
    expect(outcome.faults[0]).toContain("stale: SELECT count(*) FROM t");
  });

  test("finds a cache that keeps nothing and does not say why", async () => {
    const outcome = await runText(WRITES, (subject) => ({ ...subject, peek: () => undefined }));

    expect(outcome.faults).toHaveLength(2);
    expect(outcome.counts).toMatchObject({ hits: 0, notCacheable: 0 });
  });

  test("finds statements that fail, or do not, against what the record says", async () => {
    const outcome = await runText("statement ok\nSELECT missing\n\nstatement error\nSELECT 1\n");

    expect(outcome.faults).toEqual([
      "line 1: no such column: missing: SELECT missing",
      "line 4: did not fail: SELECT 1",
    ]);
  });

  test("tells when SQLite itself gives something else than the file says", async () => {
    const text = "query I nosort a\nSELECT 1\n----\n2\n\nquery I nosort a\nSELECT 2\n----\n2\n";

    const outcome = await runText(text);

    expect(outcome.faults).toEqual([]);
    expect(outcome.otherwise).toHaveLength(2);
  });

  test("stops when the time is over, and says what was left", async () => {
    const path = temporaryPath();
    await using subject = await openSubject(path);
    using witness = new Witness(path);
    let looks = 0;

    const outcome = await runFile(WRITES, subject, witness, { isOver: () => ++looks > 1 });

    expect(outcome).toMatchObject({ left: 3, counts: { records: 1 } });
  });

  test("refuses what is no record, and names its line", () => {
    expect(() => parseRecords("# a comment\n\nquery X\nSELECT 1\n")).toThrow("Line 3");
  });

  test("knows results by their hash", () => {
    const values = formatted([[1n], [2n]], "I", "nosort");

    expect(isExpected(values, ["2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0"])).toBe(true);
    expect(isExpected(values, ["2 values hashing to 0ddb4095eb719e2a9f0a3f95677d24e0"])).toBe(
      false,
    );
    expect(isExpected(values, ["1"])).toBe(false);
  });
});
