/** A database of more than 1 GB, whose page with SQLite's locks nobody may ship or restore. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { restoreToTime } from "../../src/backup/restore-to-time.ts";
import { lockPage } from "../../src/backup/segments/pages.ts";
import { startShipping } from "../../src/backup/segments/shipping.ts";

const PAGE_SIZE = 16_384;
const ROWS = 1_060;
const FILLER_BYTES = 1_024 ** 2;

it("is shipped and restored with everything behind that page", { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-lock-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "app.db");
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA synchronous = OFF;
    CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, filler BLOB)`);
  const insert = database.prepare("INSERT INTO t (text, filler) VALUES (?, zeroblob(?))");
  database.exec("BEGIN");
  for (let row = 0; row < ROWS; row++) insert.run(`row ${row}`, FILLER_BYTES);
  database.exec("COMMIT; PRAGMA journal_mode = WAL");
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  expect(pages).toBeGreaterThan(lockPage(PAGE_SIZE));

  const shipping = await startShipping({ url: `sqlite:${path}`, to: join(folder, "segments") });
  for (let row = 0; row < 20; row++) insert.run(`later ${row}`, 100_000);
  database.exec("UPDATE t SET text = text || '!' WHERE id % 50 = 0");
  await shipping.flush();
  database.close();
  await shipping.close();
  const restored = join(folder, "restored.db");
  const report = await restoreToTime({
    directory: join(folder, "backups"),
    from: join(folder, "segments"),
    url: `sqlite:${restored}`,
  });

  expect(report.proof).toMatchObject({ rows: ROWS + 20, foreignKeyViolations: 0 });
  using copy = new DatabaseSync(restored);
  copy.exec(`ATTACH '${path}' AS original`);
  const difference =
    "SELECT count(*) AS n FROM t JOIN original.t AS o USING (id) WHERE o.text <> t.text";
  expect(copy.prepare(difference).get()).toEqual({ n: 0 });
});
