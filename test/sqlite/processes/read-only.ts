/** Opens a file for reading and says what becomes of it: `read-only.ts FILE`. */

import type { SpringhouseError } from "../../../src/core/errors.ts";
import { openDatabase } from "../../../src/sqlite/database.ts";
import { sql } from "../statements.ts";

const [path = ""] = process.argv.slice(2);
try {
  await using database = await openDatabase({ kind: "file", path }, { readOnly: true });
  const { rows } = await database.read(sql("SELECT count(*) FROM t"));
  process.stdout.write(`${rows[0]?.[0]} rows`);
} catch (error) {
  const { code, message } = error as SpringhouseError;
  process.stdout.write(`${code} ${message}`);
}
