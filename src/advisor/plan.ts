/**
 * Query plans, read from what EXPLAIN QUERY PLAN prints.
 *
 * SQLite 3.36 and newer print "SCAN t"; older ones "SCAN TABLE t AS x". A "SCAN t USING INDEX i"
 * reads every row as well, in the order of the index. The text is for people and may change, so
 * what is not understood counts as nothing rather than as something wrong.
 */

/** A line of a plan. */
export interface PlanLine {
  readonly id: number;
  readonly parent: number;
  readonly detail: string;
}

/** How one table is read. */
export interface PlanStep {
  readonly id: number;
  readonly parent: number;
  /** Every row, or those that an index or a key leads to. */
  readonly access: "scan" | "search";
  /** The alias where there is one, or a table; a subquery or a common table expression too. */
  readonly name: string;
  readonly index: string | undefined;
  readonly by: "nothing" | "index" | "rowid" | "key" | "automatic" | "virtual";
  readonly isCovering: boolean;
  /** Columns that are compared for equality, from the left. */
  readonly equalities: number;
  readonly hasRange: boolean;
}

/** A plan as far as it is understood. */
export interface Plan {
  readonly lines: readonly PlanLine[];
  readonly steps: readonly PlanStep[];
  /** Sorts that need all rows before the first one comes out: "ORDER BY", "GROUP BY". */
  readonly sorts: readonly { readonly parent: number; readonly what: string }[];
}

const STEP = new RegExp(
  "^(SCAN|SEARCH) (?:TABLE )?(.+?)(?: AS (.+?))?(?: EXISTS)?" +
    "(?: (?:USING (.+?)|VIRTUAL TABLE INDEX .*))?(?: (?:LEFT|RIGHT|FULL)-JOIN)?$",
);
const USING =
  /^(?:(AUTOMATIC )?(?:PARTIAL )?(COVERING )?INDEX ?(.*?)|(INTEGER )?PRIMARY KEY)(?: \((.*)\))?$/;
const SORT = /^USE TEMP B-TREE FOR (.+)$/;

/** Reads a plan. A list of texts counts as lines without nesting. */
export function parsePlan(given: readonly (PlanLine | string)[]): Plan {
  const lines = given.map((line, index) =>
    typeof line === "string" ? { id: index + 1, parent: 0, detail: line.trim() } : line,
  );
  return {
    lines,
    steps: lines.flatMap((line) => stepOf(line) ?? []),
    sorts: lines.flatMap(({ parent, detail }) => {
      const what = SORT.exec(detail)?.[1];
      return what === undefined ? [] : [{ parent, what }];
    }),
  };
}

/** The indexes that a plan uses, without those that SQLite makes for one run. */
export function indexesOf({ steps }: Plan): readonly string[] {
  return steps.flatMap(({ by, index }) => (by === "index" && index !== undefined ? index : []));
}

/** The lines as a tree for people. */
export function planText({ lines }: Plan): readonly string[] {
  const depths = new Map<number, number>();
  return lines.map(({ id, parent, detail }) => {
    const depth = (depths.get(parent) ?? -1) + 1;
    depths.set(id, depth);
    return "  ".repeat(depth) + detail;
  });
}

function stepOf({ id, parent, detail }: PlanLine): PlanStep | undefined {
  const [, verb, table, alias, using] = STEP.exec(detail) ?? [];
  if (verb === undefined || table === undefined) return undefined;
  const place = { id, parent, name: alias ?? table };
  const [, automatic, covering, index, , terms = ""] = USING.exec(using ?? "") ?? [];
  const by = accessBy(detail, using, automatic);
  // "SEARCH t" without a word on how is min() or max() without an index: all rows.
  const isScan = verb === "SCAN" || (using === undefined && by !== "virtual");
  return {
    ...place,
    access: isScan ? "scan" : "search",
    by,
    index: by === "index" ? index : undefined,
    isCovering: covering !== undefined,
    equalities: terms.split(" AND ").filter((term) => /[^<>]=\?$/.test(term)).length,
    hasRange: /[<>]/.test(terms),
  };
}

function accessBy(
  detail: string,
  using: string | undefined,
  automatic: string | undefined,
): PlanStep["by"] {
  if (/ VIRTUAL TABLE INDEX /.test(detail)) return "virtual";
  if (using === undefined) return "nothing";
  if (automatic !== undefined) return "automatic";
  if (using.startsWith("INTEGER PRIMARY KEY")) return "rowid";
  return using.startsWith("PRIMARY KEY") ? "key" : "index";
}
