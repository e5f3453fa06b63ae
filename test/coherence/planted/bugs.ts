/**
 * Bugs that the proof must find. Each is a change of the sources that somebody could make by
 * mistake, and that makes results wrong now and then.
 */

import type { Emphasis } from "../proof/workload.ts";

/** In a file of the sources, a text that is there once, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  readonly name: string;
  /** What cases are rich in that show it. The proof in its usual form has these, too. */
  readonly emphasis: Emphasis;
  readonly edits: readonly Edit[];
}

/** A bug in one place. */
function bug(
  emphasis: Emphasis,
  name: string,
  file: string,
  find: string,
  replace: string,
): PlantedBug {
  return { name, emphasis, edits: [{ file, find, replace }] };
}

const REACHES_BACK = "if (at === undefined || !isSame(toPosition(at), after))";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug(
    "conditions",
    "the image before a change is not looked at",
    "src/change/touches.ts",
    "(before !== undefined && holds(atom.predicate, before, structure)) ||",
    "",
  ),
  bug(
    "conditions",
    "WHERE prunes the side of a LEFT JOIN that may be missing",
    "src/footprint/prune.ts",
    "return source.stage <= stage && source.nullableFrom >= stage;",
    "return source.stage <= stage;",
  ),
  {
    name: "rows that REPLACE deletes are not logged, and the test of the triggers passes",
    emphasis: "conditions",
    edits: [
      {
        file: "src/capture/log-triggers.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
        find: "return conditions.map((condition) => `${select}${condition}${self}`);",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
        replace: "return conditions.map((condition) => `${select}0 AND (${condition})${self}`);",
      },
      {
        file: "src/sqlite/log-preparation.ts",
        find: "if (verdict === 1) return;",
        replace: "if (verdict !== undefined) return;",
      },
    ],
  },
  bug(
    "texts",
    "tables joined by USING are left to the authorizer",
    "src/footprint/explain.ts",
    "tables.add(table);",
    "",
  ),
  bug(
    "conditions",
    "IS NULL is judged as a comparison that NULL makes NULL",
    "src/change/evaluate.ts",
    'if (operator === "is") return found === value ? TRUE : FALSE;',
    "",
  ),
  bug(
    "orders",
    "columns of ORDER BY, which decide what LIMIT shows, are not read",
    "src/footprint/select.ts",
    "if (node.orderBy !== undefined) readExpression(node.orderBy, place);",
    "",
  ),
  bug(
    "values",
    "values are compared without the affinity of the column",
    "src/change/affinity.ts",
    'return affinity === "text" || affinity === "blob" ? value : asNumber(value);',
    "return value;",
  ),
  bug(
    "races",
    "the first row after the last look into the log is skipped",
    "src/coherence/sqlite-log.ts",
    "changes: this.#decode(others) }",
    "changes: this.#decode(others.slice(1)) }",
  ),
  bug(
    "races",
    "the first change after a snapshot is not held against what was read",
    "src/coherence/ring.ts",
    "if ((this.#changes[middle] as LoggedChange).sequence > sequence) high = middle;",
    "if ((this.#changes[middle] as LoggedChange).sequence > sequence + 1) high = middle;",
  ),
  bug(
    "races",
    "a result is kept without a look at what was changed while it was read",
    "src/coherence/coherence.ts",
    "return changes !== undefined && !this.#touchAny(changes, footprint);",
    "return true;",
  ),
  {
    name: "a result is given while a commit is announced and not taken in",
    emphasis: "races",
    edits: [
      {
        file: "src/coherence/change-feed.ts",
        find: "if (this.#source.announced !== this.#applied) return this.catchUp();",
        replace: "",
      },
      {
        file: "src/coherence/shared.ts",
        find: "file.writer.onCommitted = () => hub.committed();",
        replace: "file.writer.onCommitted = () => { coherence.feed.catchUp(); hub.committed(); };",
      },
    ],
  },
  bug(
    "triggers",
    "a user's trigger that is newer than ours stays so",
    "src/capture/coverage.ts",
    "if (isWhole && isNewest) return { names, statements: [] };",
    "if (isWhole) return { names, statements: [] };",
  ),
  {
    name: "a user's BEFORE trigger may write, and rows are logged all the same",
    emphasis: "moves",
    edits: [
      {
        file: "src/capture/capture-level.ts",
        find: "?? triggerReason(table, triggers)",
        replace: "?? ([] as string[])[Number(triggerReason(table, triggers))]",
      },
      {
        file: "src/capture/capture-level.ts",
        find: "logsMoved: mayMove(table, triggers) };",
        replace: "logsMoved: false && mayMove(table, triggers) };",
      },
    ],
  },
  bug(
    "conditions",
    "the index looks up the image after a change only",
    "src/coherence/entry-index.ts",
    "[keyOf(change.before, scheme), keyOf(change.after, scheme)]",
    "[keyOf(change.after, scheme), keyOf(change.after, scheme)]",
  ),
  bug(
    "conditions",
    "the index finds only the first of the values of an IN",
    "src/coherence/entry-index.ts",
    "const own = values.map((value) => canonicalKey(value, column));",
    "const own = values.slice(0, 1).map((value) => canonicalKey(value, column));",
  ),
  bug(
    "values",
    "the keys of 1 and 1.0 differ",
    "src/change/equality.ts",
    "if (Number.isSafeInteger(value)) return value + 0;",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
    "if (Number.isSafeInteger(value)) return `r${value}`;",
  ),
  bug(
    "values",
    "NOCASE folds more than ASCII",
    "src/change/collation.ts",
    "return lowerAscii(text);",
    "return text.toLowerCase();",
  ),
  bug(
    "conditions",
    "a value that is not known is taken for unchanged",
    "src/change/value.ts",
    "return one !== UNKNOWN && Object.is(one, other);",
    "return Object.is(one, other);",
  ),
  bug(
    "tampering",
    "a write that the log does not have is not noticed",
    "src/coherence/change-feed.ts",
    "isOthers && look.position?.sequence === this.#position?.sequence",
    "isOthers && look.position === undefined",
  ),
  {
    name: "the version of the schema is not looked at",
    emphasis: "views",
    edits: [
      {
        file: "src/coherence/change-feed.ts",
        find: "const isSchemaNew = look.schemaVersion !== this.#schemaVersion;",
        replace: "const isSchemaNew = false;",
      },
      {
        file: "src/coherence/sqlite-log.ts",
        find: "if (knownVersion !== undefined && schemaVersion !== knownVersion) {",
        replace: "if (knownVersion !== undefined && schemaVersion < 0) {",
      },
    ],
  },
  bug(
    "tampering",
    "a log that was trimmed past the last look is taken for whole",
    "src/coherence/sqlite-log.ts",
    REACHES_BACK,
    "if (at === undefined || (Number(at[0]) === after.sequence && !isSame(toPosition(at), after)))",
  ),
  bug(
    "tampering",
    "another history of the same length is taken for the same",
    "src/coherence/sqlite-log.ts",
    REACHES_BACK,
    "if (at === undefined || toPosition(at).sequence !== after.sequence)",
  ),
  bug(
    "snapshots",
    "a nested result is taken from memory whatever the snapshot",
    "src/coherence/cached.ts",
    "if (result === undefined || result.sequence > position.sequence) return undefined;",
    "if (result === undefined) return undefined;",
  ),
  bug(
    "races",
    "who joins a run takes its result though it is older than the call",
    "src/coherence/flights.ts",
    "if (outcome !== undefined && outcome.heldAt > arrived)",
    "if (outcome !== undefined)",
  ),
  bug(
    "families",
    "an update ends what may have been replaced, whichever row it is of",
    "src/capture/log-rows.ts",
    "const isUpsert = run.length > 0 && row.kind === KIND.update && isSameRow(first, row);",
    "const isUpsert = run.length > 0 && row.kind === KIND.update;",
  ),
  bug(
    "conditions",
    "an OR prunes by the side that can be judged",
    "src/footprint/predicates.ts",
    'if (left.kind === "opaque" || right.kind === "opaque") return OPAQUE;',
    'if (left.kind === "opaque") return right;\n  if (right.kind === "opaque") return left;',
  ),
  bug(
    "conditions",
    "ON prunes the sides of a FULL JOIN",
    "src/footprint/prune.ts",
    'case "full":\n      return false;',
    'case "full":\n      return true;',
  ),
  bug(
    "conditions",
    "columns of GROUP BY are not read",
    "src/footprint/select.ts",
    "if (node.groupBy !== undefined) readExpression(node.groupBy, place);",
    "",
  ),
  bug(
    "views",
    "what a text reads is remembered across changes of the schema",
    "src/coherence/sqlite-database.ts",
    "this.#readings.clear();\n    const isMended",
    "const isMended",
  ),
];
