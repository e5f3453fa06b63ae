import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { ImportFolder, type IssueDocument, issues, rowsOf, TABLES } from "./support.ts";

const KEYS = "SELECT key FROM issues ORDER BY key";

describe("items that cannot be imported", () => {
  it("are listed with file, line and reason; the others are imported", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file(
      "a.ndjson",
      [
        '{"key": "A"}',
        '{"key": "B",}',
        '{"key": "C", "points": -1, "done": ["show"]}',
        '{"key": "A", "points": 7}',
        '{"key": "A"}',
        '{"key": "E", "changes": 5}',
        '{"key": "skip"}',
        '{"key": "F"}',
      ].join("\n"),
    );

    const report = await folder.import({
      sources,
      map(item) {
        if ((item.value as IssueDocument).key === "skip") item.reject("is not wanted");
        return rowsOf(item);
      },
    });

    expect(folder.rows(KEYS)).toEqual([{ key: "A" }, { key: "F" }]);
    expect(report).toMatchObject({ items: 8, rejected: 5, tables: [{ rows: 2 }] });
    const list = readFileSync(report.rejectsFile ?? "", "utf8")
      .trim()
      .split("\n");
    expect(list.map((line) => JSON.parse(line))).toEqual(report.rejects);
    expect(report.rejects.map(({ file, line, reason }) => [file, line, reason])).toEqual([
      ["a.ndjson", 2, expect.stringContaining("is no JSON")],
      [
        "a.ndjson",
        3,
        expect.stringMatching(/issues\.points .*; issues\.done must be true or false/),
      ],
      ["a.ndjson", 4, "issues: an earlier item has given key A with other values"],
      ["a.ndjson", 6, expect.stringContaining("changes.map is not a function")],
      ["a.ndjson", 7, "is not wanted"],
    ]);
  });

  it("take all their rows with them", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", [
      { key: "A", changes: ["x"] },
      { key: "A", points: 1, changes: ["y", "z"] },
    ]);

    const report = await folder.import({ sources });

    expect(report.rejected).toBe(1);
    expect(folder.rows("SELECT status FROM changes")).toEqual([{ status: "x" }]);
  });

  it("end the import when there are too many, with nothing written but their list", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", [{ key: "A" }, { key: 1 }, { key: 2 }]);

    await expect(folder.import({ sources, rejectsMax: 1 })).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining("a.json:1 issues.key"),
      fields: { rejected: 2 },
    });
    expect(existsSync(folder.target)).toBe(false);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
    expect(readFileSync(`${folder.target}.rejects.ndjson`, "utf8").split("\n")).toHaveLength(3);
  });

  it("do not take the place of a file that is no list of rejects", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(1));
    const rejectsFile = await folder.file("letter.txt", "Dear all,\n");

    await expect(folder.import({ sources, rejectsFile })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(readFileSync(rejectsFile, "utf8")).toBe("Dear all,\n");
  });
});

describe("half of a surrogate pair", () => {
  it.each([
    [
      "lines",
      "a.ndjson",
      '{"key":"A"}\n{"key":"B","x":["\\uD800x"]}\n{"key":"\\ud83d\\ude00"}\n',
      2,
    ],
    ["a list", "a.json", '[{"key":"A"},\n{"\\udc00":1,"key":"B"},\n{"key":"\\\\ud800"}]', 2],
    ["a map", "a.json", '{"a":{"key":"A"},\n"\\ud800":{"key":"B"},"c":{"key":"C"}}', 2],
  ])("in %s makes the item a reject, with its line", async (_, name, text, line) => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file(name, text);

    const report = await folder.import({ sources });

    expect(report).toMatchObject({ items: 3, rejected: 1 });
    expect(report.rejects).toEqual([
      { file: name, line, reason: expect.stringContaining("is not well-formed text") },
    ]);
    expect(folder.rows("SELECT count(*) AS n FROM issues WHERE key = 'B'")).toEqual([{ n: 0 }]);
  });
});

describe("files that cannot be read on", () => {
  it.each([
    ["breaks off", "a.json", '[{"key": "A"},\n{"key": "B"', 2, "breaks off"],
    [
      "is not UTF-8",
      "a.ndjson",
      Buffer.from('{"key":"A"}\n{"key":"\xe9"}\n', "latin1"),
      2,
      "UTF-8",
    ],
    ["is empty", "a.json", "", 1, "the file is empty"],
    ["has an open quote", "a.csv", 'key,points\nA,"1\n', 2, "never closed"],
    ["has a column twice", "a.csv", "key,key\nA,1\n", 1, 'column "key" is there twice'],
  ])("end the import when one %s, with file and line", async (_, name, content, line, message) => {
    await using folder = await ImportFolder.make();
    const path = await folder.file(name, content);

    await expect(folder.import({ sources: path })).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringMatching(new RegExp(`${name}, line ${line}:.*${message}`)),
      fields: { path, line },
    });
    expect(existsSync(folder.target)).toBe(false);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });

  it("are named when they are missing, or change while they are read", async () => {
    await using folder = await ImportFolder.make();
    const missing = join(folder.path, "none.json");
    await expect(folder.import({ sources: missing })).rejects.toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("none.json"),
    });

    const path = await folder.file("a.json", issues(2));
    let isWritten = false;
    const map = async (item: Parameters<typeof rowsOf>[0]) => {
      if (!isWritten) await folder.file("a.json", issues(3));
      isWritten = true;
      return rowsOf(item);
    };
    await expect(folder.import({ sources: path, map })).rejects.toThrow(
      "changed while it was read",
    );
    expect(existsSync(folder.target)).toBe(false);
  });
});

describe("an import that ends early", () => {
  it("goes on behind the last item that was written", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(3_000));
    const stop = new AbortController();
    const mapped: string[] = [];
    const map = (item: Parameters<typeof rowsOf>[0]) => {
      const { key } = item.value as IssueDocument;
      mapped.push(key);
      if (key === "A-2500") stop.abort();
      return rowsOf(item);
    };
    // The mapping is the same function: its text is a part of what is imported.
    const first = folder.import({ sources, map, signal: stop.signal });
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect(existsSync(folder.target)).toBe(false);
    const before = mapped.length;

    const report = await folder.import({ sources, map });

    expect(report.resumedItems).toBeGreaterThan(0);
    expect(report.items).toBe(3_000);
    expect(mapped.length - before).toBe(3_000 - report.resumedItems);
    expect(folder.rows("SELECT count(*) AS n, sum(points) AS p FROM issues")).toEqual([
      { n: 3_000, p: issues(3_000).reduce((sum, { points }) => sum + Number(points), 0) },
    ]);
    expect(folder.rows("SELECT count(*) AS n FROM changes")).toEqual([{ n: 3_000 }]);
  });

  it("begins anew when the files are others now", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(2_000));
    const stop = new AbortController();
    const map = (item: Parameters<typeof rowsOf>[0]) => {
      if (Number(item.key) === 1_500) stop.abort();
      return rowsOf(item);
    };
    await expect(folder.import({ sources, map, signal: stop.signal })).rejects.toThrow();
    await folder.file("a.json", [{ key: "other" }]);

    const report = await folder.import({ sources, map });

    expect(report.resumedItems).toBe(0);
    expect(folder.rows(KEYS)).toEqual([{ key: "other" }]);
  });

  it("leaves its work for the next run when the disk is full", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(5_000));
    // What SQLite says is the same when a file may not grow further.
    const statements = ["PRAGMA max_page_count = 60"];

    await expect(folder.import({ sources, statements })).rejects.toMatchObject({
      code: "DISK_FULL",
    });
    expect(existsSync(folder.target)).toBe(false);
    // The limit is one of the connection: the next one has it no more.
    const report = await folder.import({ sources, statements });

    expect(report.resumedItems).toBeGreaterThan(0);
    expect(folder.rows("SELECT count(*) AS n FROM issues")).toEqual([{ n: 5_000 }]);
  });

  it("is finished by its name when only that was missing", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(5));
    await folder.import({ sources });
    renameSync(folder.target, `${folder.target}.importing`);

    const report = await folder.import({ sources });

    expect(report).toMatchObject({ status: "unchanged", items: 5 });
    expect(folder.rows("SELECT count(*) AS n FROM issues")).toEqual([{ n: 5 }]);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });
});

describe("two imports of one target", () => {
  it("do not mix: the second one is told of the first", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(2_000));
    let second: Promise<unknown> | undefined;
    const map = (item: Parameters<typeof rowsOf>[0]) => {
      second ??= folder.import({ sources }).catch((error: unknown) => error);
      return rowsOf(item);
    };

    const report = await folder.import({ sources, map });

    // Either it came while the first one was at work, or it found that one's rows.
    const other = await second;
    expect(other).toSatisfy(
      (it: { code?: string; isNew?: boolean }) => it.code === "BUSY" || it.isNew === false,
    );
    expect(report.isNew).toBe(true);
    expect(folder.rows("SELECT count(*) AS n FROM issues")).toEqual([{ n: 2_000 }]);
  });

  it("waits for other writers, and says when they take too long", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", issues(1)) });
    const sources = await folder.file("b.json", [{ key: "B" }]);
    const writer = new DatabaseSync(folder.target);
    writer.exec("BEGIN IMMEDIATE");

    await expect(folder.import({ sources, busyTimeoutMs: 1 })).rejects.toMatchObject({
      code: "BUSY",
    });
    writer.exec("ROLLBACK");
    writer.close();
    const report = await folder.import({ sources });

    expect(report.resumedItems).toBe(1);
    expect(folder.rows(KEYS)).toEqual([{ key: "A-1" }, { key: "B" }]);
  });
});

describe("options of an import", () => {
  it.each([
    [{ taget: "x" }, 'unknown option "taget". Did you mean "target"?'],
    [{ rejectsMax: -1 }, "rejectsMax: -1 cannot be used"],
    [{ tables: {} }, "tables is empty"],
    [{ keys: { isues: ["key"] } }, 'keys: "isues" is unknown. Did you mean "issues"?'],
    [{ keys: { issues: ["points"] } }, "has no unique constraint on points"],
    [{ sources: [] }, "There is nothing to import"],
  ])("are refused when they are wrong: %j", async (wrong, message) => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(1));

    await expect(folder.import({ sources, ...(wrong as object) })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message),
    });
  });

  it("update rows by a unique column when it is named as the key", async () => {
    await using folder = await ImportFolder.make();
    const keys = { issues: ["title"] };
    await folder.import({ sources: await folder.file("a.json", [{ key: "A" }]), keys });
    const map = (item: Parameters<typeof rowsOf>[0]) => {
      const { issues: issue } = rowsOf(item) as { issues: object };
      return { issues: { ...issue, title: "Issue A" } } as never;
    };
    const sources = await folder.file("b.json", [{ key: "B", points: 3 }]);

    const report = await folder.import({ sources, keys, map, tables: TABLES });

    expect(report.tables).toMatchObject([{ inserted: 0, updated: 1 }]);
    expect(folder.rows("SELECT key, points FROM issues")).toEqual([{ key: "B", points: 3 }]);
    rmSync(folder.target);
  });
});
