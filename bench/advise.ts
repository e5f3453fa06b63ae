/**
 * Advice on indexes: a table of 900,000 rows lacks an index on two columns, which is found, made on
 * a full copy and measured there; and databases whose workload has the indexes that it needs get no
 * advice.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { advise } from "../src/advisor/advise.ts";
import { parseWorkload } from "../src/advisor/workload.ts";
import { SUBJECTS } from "./advise/subjects.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { withFolder } from "./support.ts";

const SAMPLES = join(import.meta.dirname, "../../shared/data/samples");
const AUTHORS = 1_000;
/** With the rest of a row about 300 bytes. */
const BODY_BYTES = 125;
const LACKING = "SELECT * FROM documents WHERE author_id = ? ORDER BY written_at DESC LIMIT 20";
const WORKLOAD = `${LACKING};
  SELECT * FROM documents WHERE id = ?;
  SELECT * FROM documents WHERE slug = ?;
  INSERT INTO documents (slug, author_id, written_at, body) VALUES (?, ?, ?, ?);`;

/** Runs the bench. */
export function run({ quick, dir = SAMPLES }: BenchOptions): Promise<BenchResult> {
  return withFolder(async (folder) => {
    const rows = quick ? 100_000 : 900_000;
    const path = join(folder, "documents.db");
    const sizeMb = fill(path, rows);
    const workload = parseWorkload(WORKLOAD, "bench");
    const report = await advise({ path, workload, measureOn: "copy" });
    const found = report.advice.filter(
      ({ action, columns }) => action === "create" && columns.join() === "author_id,written_at",
    );
    const proof = found[0]?.proofs[0];
    let falsePositives = report.advice.length - found.length;
    const notes: string[] = [];
    for (const make of SUBJECTS) {
      const { name, ...subject } = await make(folder, dir);
      const { advice, statements } = await advise({ ...subject, measureOn: "copy" });
      falsePositives += advice.length;
      notes.push(`${name}: ${statements} statements, ${advice.length} advices`);
      notes.push(...advice.map(({ message }) => `  ${message}`));
    }
    return {
      bench: "advise",
      figures: {
        speedup: found[0]?.speedup ?? 0,
        seconds: report.ms / 1_000,
        false_positives: falsePositives,
        before_ms: proof?.beforeMs ?? Number.NaN,
        after_ms: proof?.afterMs ?? Number.NaN,
        index_mb: (found[0]?.bytes ?? Number.NaN) / 1e6,
        write_us_per_row: found[0]?.writeUsPerRow ?? Number.NaN,
        size_mb: sizeMb,
        rows,
      },
      targets: {
        // A scan of a ninth of the rows takes a ninth of the time, a search does not.
        speedup: { atLeast: quick ? 100 : 1_000 },
        seconds: { atMost: 5 },
        false_positives: { atMost: 0 },
      },
      notes: [
        "speedup, seconds: from the look at the database to the proof on a full copy",
        "write_us_per_row: what the index adds to a row that is deleted and inserted again",
        ...notes,
      ],
    };
  });
}

/** Makes the table; megabytes of the file. */
function fill(path: string, rows: number): number {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  database.exec(`CREATE TABLE documents (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE,
    author_id INTEGER NOT NULL, written_at INTEGER NOT NULL, body TEXT NOT NULL) STRICT`);
  database.exec(`INSERT INTO documents
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    SELECT i, 'document-' || i, abs(random()) % ${AUTHORS}, abs(random()) % 1000000000,
      hex(randomblob(${BODY_BYTES})) FROM n`);
  const { size } = database
    .prepare("SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()")
    .get() as { size: number };
  return size / 1e6;
}
