/**
 * Keeps reads of rollups right while others change the schema.
 *
 * A trigger of somebody else can get before ours, and ours can be dropped or altered; from then on
 * writes pass rollups by. Whoever does it changes the schema, and SQLite counts that. So a result
 * that was read from a rollup is given only when the schema, behind the read, is the one that was
 * last looked at. Else it is looked at, what is passed by is marked (`rollup-marks.ts`), and it is
 * read again. The mark stays until the rollup is rebuilt, whatever becomes of the trigger. One that
 * comes and goes between two looks leaves nothing to be seen.
 */

import { type SourceParts, sourcesOf } from "../capture/rollup.ts";
import { markRollup, SELECT_MARKED } from "../capture/rollup-marks.ts";
import { ROLLUP_MARKS, type RollupPlan } from "../capture/rollup-plan.ts";
import {
  has,
  rollupProblems,
  type SchemaTexts,
  SELECT_TEXTS,
  schemaTexts,
} from "../capture/rollup-problems.ts";
import { warn } from "../core/channels.ts";
import { SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { Session, StoreTransaction } from "../store/store.ts";

/** Somebody who changes the schema all the time is not one to wait for. */
const LOOKS_MAX = 10;
/** The texts of one program, and room for some that are built as strings. */
const TEXTS_MAX = 2_000;

/** What a look at the schema finds. */
interface Found {
  readonly schemaVersion: number;
  readonly broken: readonly Broken[];
  readonly marked: ReadonlySet<unknown>;
  /** Under which rollups are read, views over them included; in lower case. */
  readonly names: readonly string[];
}

/** A rollup that writes pass by, and why. */
interface Broken {
  readonly plan: RollupPlan;
  readonly problems: readonly string[];
}

const keepers = new WeakMap<SqliteStore, RollupKeeper>();

/** The one of a store, which knows the rollups of this catalog. */
export function rollupKeeperOf(store: SqliteStore, catalog: Catalog): RollupKeeper {
  const keeper = keepers.get(store) ?? new RollupKeeper(store, sourcesOf(catalog));
  keepers.set(store, keeper);
  return keeper;
}

/** See above. */
export class RollupKeeper {
  readonly #store: SqliteStore;
  readonly #sources: readonly SourceParts[];
  /** That of the last look. */
  #schemaVersion: number | undefined;
  /** Rollups that cannot be marked, because the file is open for reading only. */
  #unmarked: readonly Broken[] = [];
  #keeping: Promise<void> | undefined;
  #names: readonly string[] = [];
  readonly #concerned = new Map<string, boolean>();

  constructor(store: SqliteStore, sources: readonly SourceParts[]) {
    this.#store = store;
    this.#sources = sources;
  }

  /** Whether the schema is the one that was looked at. */
  isCurrent(): boolean {
    return this.#sources.length === 0 || this.#readVersion() === this.#schemaVersion;
  }

  /** Looks at the schema when it has changed, and marks what is passed by. */
  async keep(): Promise<void> {
    // A transaction holds the writer; what it changes itself is looked at behind it.
    if (this.isCurrent() || this.#store.current !== undefined) return;
    this.#keeping ??= this.#look().finally(() => {
      this.#keeping = undefined;
    });
    await this.#keeping;
  }

  /** The same in a transaction that has just begun. What it marks goes when it is rolled back. */
  async keepIn(transaction: StoreTransaction): Promise<void> {
    if (!this.isCurrent()) await this.#mark(this.#find().broken, transaction);
  }

  /**
   * What `read` gives, from a state in which the rollups that the statement reads are right.
   *
   * @throws `SCHEMA_MISMATCH` for one that is not, in a file that is open for reading only.
   */
  async during<T>(sql: string, read: () => Promise<T>): Promise<T> {
    for (let left = LOOKS_MAX; left > 0; left--) {
      await this.keep();
      if (!this.#concerns(sql)) return await read();
      this.assertRight(sql);
      const result = await read();
      if (this.isCurrent() || this.#store.current !== undefined) return result;
    }
    throw new SpringhouseError(
      "BUSY",
      "Another program keeps changing the schema, and whether rollups are kept cannot be told. " +
        "Try again when it is done.",
    );
  }

  /** Throws `SCHEMA_MISMATCH` when the statement reads a rollup that is known to be wrong. */
  assertRight(sql: string): void {
    const text = lowerAscii(sql);
    const broken = this.#unmarked.find(({ plan }) => text.includes(lowerAscii(plan.facts.table)));
    if (broken === undefined) return;
    const { plan, problems } = broken;
    throw new SpringhouseError(
      "SCHEMA_MISMATCH",
      `${plan.facts.table} may be wrong, and the file is open for reading only: ` +
        `${problems.join("; ")}. Open it once for writing, or run springhouse rollup rebuild.`,
      { fields: { name: plan.facts.table, problems } },
    );
  }

  #concerns(sql: string): boolean {
    const known = this.#concerned.get(sql);
    if (known !== undefined) return known;
    if (this.#concerned.size >= TEXTS_MAX) this.#concerned.clear();
    const text = lowerAscii(sql);
    const concerns = this.#names.some((name) => text.includes(name));
    this.#concerned.set(sql, concerns);
    return concerns;
  }

  async #look(): Promise<void> {
    const { schemaVersion, broken, marked, names } = this.#find();
    this.#names = names;
    this.#concerned.clear();
    if (this.#store.readOnly) {
      this.#unmarked = broken.filter(({ plan }) => !marked.has(plan.facts.table));
    } else {
      await this.#mark(broken, this.#store);
    }
    this.#schemaVersion = schemaVersion;
  }

  async #mark(broken: readonly Broken[], session: Session): Promise<void> {
    if (broken.length === 0) return;
    await session.write(broken.map(({ plan }) => markRollup(plan, "begins again")));
    for (const each of broken) warnOf(each);
  }

  #find(): Found {
    const { texts, ...rest } = this.#readSchema();
    const broken = this.#sources
      .filter((parts) => isMade(texts, parts))
      .flatMap((parts) => rollupProblems(texts, parts))
      .filter(({ problems }) => problems.length > 0);
    return { ...rest, broken, names: namesOf(texts, this.#sources) };
  }

  /** On the main thread: a read of one small table. */
  #readSchema(): {
    readonly schemaVersion: number;
    readonly texts: SchemaTexts;
    readonly marked: ReadonlySet<unknown>;
  } {
    const { connection } = this.#store.file.inline;
    connection.control("BEGIN");
    try {
      const schemaVersion = this.#readVersion();
      const texts = schemaTexts(connection.askAll(SELECT_TEXTS));
      const hasMarks = has(texts, "table", ROLLUP_MARKS);
      const marked = hasMarks ? connection.askAll(SELECT_MARKED).map(([name]) => name) : [];
      return { schemaVersion, texts, marked: new Set(marked) };
    } finally {
      connection.control("COMMIT");
    }
  }

  #readVersion(): number {
    const { connection } = this.#store.file.inline;
    const { rows } = connection.readAll({ sql: "PRAGMA schema_version", parameters: [] });
    return Number(rows[0]?.[0]);
  }
}

/** What has no tables and views as they are declared fails by itself, or waits for a migration. */
function isMade(texts: SchemaTexts, { shared, rollups }: SourceParts): boolean {
  const objects = [...shared, ...rollups.flatMap((rollup) => rollup.objects)];
  return objects.every(({ kind, name }) => kind === "trigger" || has(texts, kind, name));
}

function namesOf(texts: SchemaTexts, sources: readonly SourceParts[]): readonly string[] {
  const names = new Set(
    sources.flatMap(({ rollups }) => rollups.map(({ plan }) => lowerAscii(plan.facts.table))),
  );
  const views = [...texts.values()].filter(({ kind }) => kind === "view");
  for (let size = -1; size < names.size; ) {
    size = names.size;
    for (const { name, sql } of views) {
      const text = lowerAscii(sql);
      if ([...names].some((known) => text.includes(known))) names.add(lowerAscii(name));
    }
  }
  return [...names];
}

function warnOf({ plan, problems }: Broken): void {
  const name = plan.facts.table;
  warn(
    "ROLLUP_BROKEN",
    `Writes may pass the rollup ${name} by: ${problems.join("; ")}. It is read from its source ` +
      "now, which is right and slow, until db.rollups.rebuild() or springhouse rollup rebuild.",
    { name, problems },
  );
}
