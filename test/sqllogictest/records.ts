/**
 * The records of a sqllogictest file, as SQLite reads them: what is for other databases is left out,
 * and `halt` ends the file.
 *
 * Reference: https://sqlite.org/sqllogictest/doc/trunk/about.wiki
 */

export type SortMode = "nosort" | "rowsort" | "valuesort";

/** One record that is to be run. `line` is where it begins. */
export type LogicRecord =
  | {
      readonly kind: "statement";
      readonly line: number;
      readonly sql: string;
      readonly fails: boolean;
    }
  | {
      readonly kind: "query";
      readonly line: number;
      readonly sql: string;
      /** A letter for each column: I, R or T. */
      readonly types: string;
      readonly sort: SortMode;
      readonly label: string | undefined;
      /** One line for each value, or their number and hash; undefined when nothing is expected. */
      readonly expected: readonly string[] | undefined;
    };

const ENGINE = "sqlite";
const SORT_MODES: readonly string[] = ["nosort", "rowsort", "valuesort"];

/** @throws for a record of no known form. */
export function parseRecords(text: string): readonly LogicRecord[] {
  const records: LogicRecord[] = [];
  for (const { lines, first } of blocksOf(text)) {
    let at = 0;
    let isOurs = true;
    let [word, ...rest] = wordsOf(lines[at]);
    while (word === "onlyif" || word === "skipif") {
      isOurs &&= (rest[0] === ENGINE) === (word === "onlyif");
      [word, ...rest] = wordsOf(lines[++at]);
    }
    // A lone condition is for the block that follows a comment; there is none in any known file.
    if (word === undefined || word === "hash-threshold" || !isOurs) continue;
    if (word === "halt") break;
    records.push(recordOf(word, rest, lines.slice(at + 1), first + at));
  }
  return records;
}

function recordOf(
  word: string,
  [given = "", ...rest]: readonly string[],
  lines: readonly string[],
  line: number,
): LogicRecord {
  if (word === "statement" && (given === "ok" || given === "error")) {
    return { kind: "statement", line, sql: lines.join("\n"), fails: given === "error" };
  }
  if (word !== "query" || !/^[IRT]+$/.test(given)) {
    throw new Error(`Line ${line}: "${word} ${given}" is no record.`);
  }
  const sort = SORT_MODES.includes(rest[0] ?? "") ? (rest.shift() as SortMode) : "nosort";
  const end = lines.indexOf("----");
  const sql = (end < 0 ? lines : lines.slice(0, end)).join("\n");
  const expected = end < 0 ? undefined : lines.slice(end + 1);
  return { kind: "query", line, sql, types: given, sort, label: rest[0], expected };
}

/** Words up to a comment. */
function wordsOf(line = ""): string[] {
  return line.replace(/#.*/, "").split(/\s+/).filter(Boolean);
}

interface Block {
  readonly lines: readonly string[];
  readonly first: number;
}

/** What stands between blank lines, without the lines that are comments as a whole. */
function* blocksOf(text: string): Generator<Block> {
  let lines: string[] = [];
  let first = 0;
  for (const [index, line] of `${text}\n`.split(/\r?\n/).entries()) {
    if (line.trim() === "") {
      if (lines.length > 0) yield { lines, first };
      lines = [];
    } else if (!line.startsWith("#")) {
      if (lines.length === 0) first = index + 1;
      lines.push(line);
    }
  }
  if (lines.length > 0) yield { lines, first };
}
