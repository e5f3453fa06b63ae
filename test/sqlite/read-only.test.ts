/** Opening for reading: what it needs of the folder, and what it leaves there. */

import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { open } from "./open-database.ts";
import { sql, temporaryPath } from "./support.ts";

/** A closed database with 400 rows. */
function makeDatabase(): string {
  const path = temporaryPath();
  using database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (v TEXT)");
  database.exec(`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO t SELECT i FROM n`);
  return path;
}

describe("a folder in which this user may not write", () => {
  /** Reads as nobody, which only the superuser can become. */
  function readAsNobody(path: string): string {
    const script = join(import.meta.dirname, "processes", "read-only.ts");
    chmodSync(path, 0o644);
    return execFileSync(process.execPath, [script, path], { uid: 65_534, encoding: "utf8" });
  }

  it("is no safe place to read from while another user may write there", ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only the superuser can read as another user");
    const path = makeDatabase();
    chmodSync(dirname(path), 0o755);

    expect(readAsNobody(path)).toMatch(/^UNOPENABLE .* cannot be read safely/);

    chmodSync(dirname(path), 0o555);
    expect(readAsNobody(path)).toBe("400 rows");
  });
});

describe("opening for reading", () => {
  it("leaves no log behind, and nothing changed", async () => {
    const path = makeDatabase();
    const before = readFileSync(path);

    const database = await open({ readOnly: true }, path);
    await database.read(sql("SELECT count(*) FROM t"));
    await database.close();

    expect(readdirSync(dirname(path))).toEqual(["test.db"]);
    expect(readFileSync(path)).toEqual(before);
  });

  it("leaves the log of another process alone", async () => {
    const path = makeDatabase();
    using other = new DatabaseSync(path);
    other.exec("SELECT count(*) FROM t");

    const database = await open({ readOnly: true }, path);
    await database.close();
    other.exec("INSERT INTO t (v) VALUES ('in the log')");

    const again = await open({ readOnly: true }, path);
    expect((await again.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[401]]);
  });
});
