/**
 * A repository: the rows of one entity, by the names and types of its properties. Each method asks
 * for permission, then hands over to the file that knows its kind of statement.
 */

import { assertSignal } from "../core/abort.ts";
import { deepFreeze } from "../core/deep-freeze.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { ownCopy } from "../core/own-copy.ts";
import { forEachInSlices } from "../core/slices.ts";
import type { Entity, InsertOf, KeyOf, PatchOf, RowOf } from "../schema/types.ts";
import type { CallOptions, UnitOptions } from "../store/store.ts";
import type { Where } from "./conditions.ts";
import { lostPosition, unchangedSince } from "./edit.ts";
import { EntityReads } from "./entity-reads.ts";
import { includeRelations } from "./include.ts";
import { insertMany, insertOne, insertReturning, type Rows } from "./insert.ts";
import type { Model, Row } from "./model.ts";
import type { Narrowing, PermissionRequest } from "./permissions.ts";
import { type RowPage, readList, readMany, readOne, readPage, streamRows } from "./read.ts";
import type { Includes, NoIncludes, WithIncludes } from "./relation.ts";
import { deleteRow, deleteWhere } from "./remove.ts";
import { authorize, refuseRollup, type Scope } from "./scope.ts";
import { searchRows } from "./search.ts";
import type {
  CreateManyOptions,
  EditOptions,
  GetOptions,
  ListOptions,
  Page,
  PageOptions,
  ReplacementOf,
  SearchOptions,
  StreamOptions,
  UpsertOptions,
  WriteOptions,
} from "./types.ts";
import { patchRow, replaceRow } from "./update.ts";
import { upsertRow } from "./upsert.ts";

const GET_OPTIONS = ["include", "signal"];
const LIST_OPTIONS = ["where", "orderBy", "limit", "offset", "cursor", "include", "signal"];
const PAGE_OPTIONS = ["where", "orderBy", "limit", "cursor", "total", "include", "signal"];
const STREAM_OPTIONS = ["where", "orderBy", "signal"];
const SEARCH_OPTIONS = ["where", "limit", "offset", "include", "signal"];
const CALL_OPTIONS = ["signal"];
const EDIT_OPTIONS = ["since", "signal"];
/** What is called without options is not searched for misspelt ones. */
const NO_OPTIONS: CallOptions = Object.freeze({});

/**
 * Rows of one entity.
 *
 * Reads come from memory when nothing has changed since that they have read, whoever wrote; so rows
 * that are read are frozen, JSON in them too, with a cache or without. Dates and bytes in them, and
 * lists of rows, are the caller's own. To change rows in memory, take a unit of work. What goes to
 * the database each time: reads with `include`, `search`, `stream`, and everything in a
 * transaction.
 *
 * @throws `PERMISSION_DENIED` from every method, when there is a hook and it says no;
 * `UNKNOWN_FIELD` and `INVALID_ARGUMENT` for bad conditions, orders and keys; `VALIDATION` for bad
 * rows; `CONSTRAINT`, with `entity` and `properties`, for rows that the database refuses.
 * @example
 * const tasks = db.repository(Task);
 * const task = await tasks.create({ weekId: 7, projectName: "Atlas" });
 * await tasks.patch(task.id, { score: 3 });
 * const page = await tasks.page({ where: { weekId: 7 }, orderBy: { score: "desc" }, limit: 20 });
 */
export class Repository<E extends Entity> {
  readonly #scope: Scope;
  readonly #model: Model;
  readonly #reads: EntityReads;

  constructor(entity: E, scope: Scope) {
    this.#scope = scope;
    this.#model = scope.models.of(entity);
    this.#reads = new EntityReads(scope, this.#model);
  }

  /** The row with this key, or undefined. */
  get<const I extends Includes = NoIncludes>(
    key: KeyOf<E>,
    options: GetOptions<I> = NO_OPTIONS,
  ): Promise<WithIncludes<RowOf<E>, I> | undefined> {
    // The usual case, which costs a look into memory.
    const isPlain = options === NO_OPTIONS && this.#isFree;
    const row = (isPlain ? this.#reads.hit(key) : undefined) ?? this.#get(key, options);
    return row as Promise<WithIncludes<RowOf<E>, I> | undefined>;
  }

  async #get(key: unknown, options: GetOptions): Promise<Row | undefined> {
    this.#check(options, GET_OPTIONS, "get");
    const call = callOf(options);
    const own = this.#own(key);
    const narrowing = this.#isFree ? undefined : await this.#may("read", { key: own });
    if (options.include === undefined) return this.#reads.one(own, narrowing, call);
    const row = await readOne(this.#scope, this.#model, own, narrowing, call);
    if (row !== undefined) await this.#include([row], options);
    return deepFreeze(row);
  }

  /** The rows with these keys, in the order of the keys; undefined where there is none. */
  async getMany<const I extends Includes = NoIncludes>(
    keys: readonly KeyOf<E>[],
    options: GetOptions<I> = NO_OPTIONS,
  ): Promise<(WithIncludes<RowOf<E>, I> | undefined)[]> {
    this.#check(options, GET_OPTIONS, "getMany");
    const call = callOf(options);
    const narrowing = this.#isFree ? undefined : await this.#may("read");
    let rows: readonly (Row | undefined)[];
    if (options.include === undefined) rows = await this.#reads.many(keys, narrowing, call);
    else {
      rows = await readMany(this.#scope, this.#model, keys, narrowing, call);
      await this.#included(
        [...new Set(rows)].filter((row) => row !== undefined),
        options,
      );
    }
    return rows as (WithIncludes<RowOf<E>, I> | undefined)[];
  }

  /** The rows that match, in order; at most a page of them unless `limit` says otherwise. */
  async list<const I extends Includes = NoIncludes>(
    options: ListOptions<E, I> = NO_OPTIONS,
  ): Promise<WithIncludes<RowOf<E>, I>[]> {
    this.#check(options, LIST_OPTIONS, "list");
    const call = callOf(options);
    const narrowing = this.#isFree ? undefined : await this.#may("read");
    let rows: Row[];
    if (options.include === undefined) rows = await this.#reads.list(options, narrowing, call);
    else {
      rows = await readList(this.#scope, this.#model, options, narrowing, call);
      await this.#included(rows, options);
    }
    return rows as WithIncludes<RowOf<E>, I>[];
  }

  /** One page, with the cursors of the pages around it. All pages cost the same. */
  async page<const I extends Includes = NoIncludes>(
    options: PageOptions<E, I> = NO_OPTIONS,
  ): Promise<Page<WithIncludes<RowOf<E>, I>>> {
    this.#check(options, PAGE_OPTIONS, "page");
    const { where, include } = options;
    const call = callOf(options);
    const narrowing = this.#isFree ? undefined : await this.#may("read");
    let page: RowPage;
    if (include === undefined) page = await this.#reads.page(options, narrowing, call);
    else {
      page = await readPage(this.#scope, this.#model, options, narrowing, call);
      await this.#included(page.rows, options);
    }
    const shown = page as Page<WithIncludes<RowOf<E>, I>>;
    if (options.total !== true) return shown;
    return { ...shown, total: await this.#reads.count(where, narrowing, call) };
  }

  /** All rows that match, from one snapshot, however many. Leaving the loop early is fine. */
  async *stream(options: StreamOptions<E> = {}): AsyncGenerator<RowOf<E>, void, undefined> {
    this.#check(options, STREAM_OPTIONS, "stream");
    const narrowing = await this.#may("read");
    const rows = streamRows(this.#scope, this.#model, options, narrowing, callOf(options));
    yield* rows as AsyncGenerator<RowOf<E>, void, undefined>;
  }

  /**
   * The rows that contain every word of `text` in their searched columns, upper and lower case
   * alike: best match first when the entity has `search`, by key otherwise.
   */
  async search<const I extends Includes = NoIncludes>(
    text: string,
    options: SearchOptions<E, I> = {},
  ): Promise<WithIncludes<RowOf<E>, I>[]> {
    this.#check(options, SEARCH_OPTIONS, "search");
    const narrowing = await this.#may("read");
    const call = callOf(options);
    const rows = await searchRows(this.#scope, this.#model, text, options, narrowing, call);
    await this.#included(rows, options);
    return rows as WithIncludes<RowOf<E>, I>[];
  }

  /** Whether there is a row with this key. */
  async exists(key: KeyOf<E>, options: WriteOptions = NO_OPTIONS): Promise<boolean> {
    const call = this.#call(options, "exists");
    const own = this.#own(key);
    const narrowing = this.#isFree ? undefined : await this.#may("read", { key: own });
    return this.#reads.exists(own, narrowing, call);
  }

  /** How many rows match. Default: all rows. */
  async count(where?: Where<E>, options: WriteOptions = NO_OPTIONS): Promise<number> {
    const call = this.#call(options, "count");
    const narrowing = this.#isFree ? undefined : await this.#may("read");
    return this.#reads.count(where, narrowing, call);
  }

  /** Checks and inserts a row; gives it as it stands in the database. */
  async create(input: InsertOf<E>, options: WriteOptions = NO_OPTIONS): Promise<RowOf<E>> {
    refuseRollup(this.#model);
    const call = this.#call(options, "create");
    const own = this.#own(input);
    if (!this.#isFree) await this.#may("create", { changes: own });
    return (await insertOne(this.#scope, this.#model, own, call)) as RowOf<E>;
  }

  /**
   * Inserts many rows in one transaction: all of them or none. A list is checked as a whole before
   * anything is written, other iterables as they come. Gives their number, or the rows in order.
   */
  createMany(
    inputs: Iterable<InsertOf<E>> | AsyncIterable<InsertOf<E>>,
    options: CreateManyOptions & { readonly returning: true },
  ): Promise<RowOf<E>[]>;
  createMany(
    inputs: Iterable<InsertOf<E>> | AsyncIterable<InsertOf<E>>,
    options?: CreateManyOptions,
  ): Promise<number>;
  async createMany(inputs: Rows, options: CreateManyOptions = {}): Promise<number | RowOf<E>[]> {
    refuseRollup(this.#model);
    this.#check(options, ["returning", "signal"], "createMany");
    const allowed = this.#isFree ? inputs : await this.#allowedRows(inputs);
    const call = callOf(options);
    if (options.returning !== true) return insertMany(this.#scope, this.#model, allowed, call);
    return (await insertReturning(this.#scope, this.#model, allowed, call)) as RowOf<E>[];
  }

  /**
   * Replaces all properties but the key; one that is missing is refused. Columns that are set at
   * each update are set, whatever is given for them.
   *
   * @throws `NOT_FOUND` when there is no row with this key; `CONFLICT` when it was changed `since`;
   * `INVALID_ARGUMENT` when `since` is given and is no position, undefined included.
   */
  async update(
    key: KeyOf<E>,
    row: ReplacementOf<E>,
    options: EditOptions = NO_OPTIONS,
  ): Promise<RowOf<E>> {
    refuseRollup(this.#model);
    const own = this.#own({ key, changes: row });
    const call = this.#edit(options, "update", own.key);
    const narrowing = this.#isFree ? undefined : await this.#may("update", own);
    const { key: ownKey, changes } = own;
    const updated = await replaceRow(this.#scope, this.#model, ownKey, changes, narrowing, call);
    return updated as RowOf<E>;
  }

  /**
   * Writes the properties that are given: absent and undefined leave as it is, null is NULL.
   *
   * @throws `NOT_FOUND` when there is no row with this key; `CONFLICT` when it was changed `since`;
   * `INVALID_ARGUMENT` when `since` is given and is no position, undefined included.
   */
  async patch(
    key: KeyOf<E>,
    changes: PatchOf<E>,
    options: EditOptions = NO_OPTIONS,
  ): Promise<RowOf<E>> {
    refuseRollup(this.#model);
    const own = this.#own({ key, changes });
    const call = this.#edit(options, "patch", own.key);
    const narrowing = this.#isFree ? undefined : await this.#may("update", own);
    const patched = await patchRow(this.#scope, this.#model, own.key, own.changes, narrowing, call);
    return patched as RowOf<E>;
  }

  /** Inserts the row, or writes what is given into the one with the same key or `on` properties. */
  async upsert(input: InsertOf<E>, options: UpsertOptions<E> = {}): Promise<RowOf<E>> {
    refuseRollup(this.#model);
    this.#check(options, ["on", "signal"], "upsert");
    const own = this.#own(input);
    if (!this.#isFree) await this.#may("create", { changes: own });
    const narrowing = this.#isFree ? undefined : await this.#may("update", { changes: own });
    const { on } = options;
    const call = callOf(options);
    const row = await upsertRow(this.#scope, this.#model, own, on, narrowing, call);
    return row as RowOf<E>;
  }

  /**
   * Deletes the row with this key; false when there is none.
   *
   * @throws `CONFLICT` when it was changed `since`;
   * `INVALID_ARGUMENT` when `since` is given and is no position, undefined included.
   */
  async delete(key: KeyOf<E>, options: EditOptions = NO_OPTIONS): Promise<boolean> {
    refuseRollup(this.#model);
    const own = this.#own(key);
    const call = this.#edit(options, "delete", own);
    const narrowing = this.#isFree ? undefined : await this.#may("delete", { key: own });
    return deleteRow(this.#scope, this.#model, own, narrowing, call);
  }

  /** Deletes all rows that match, `{}` all there are; how many there were. */
  async deleteMany(where: Where<E>, options: WriteOptions = NO_OPTIONS): Promise<number> {
    refuseRollup(this.#model);
    const call = this.#call(options, "deleteMany");
    const narrowing = await this.#may("delete");
    return deleteWhere(this.#scope, this.#model, where, narrowing, call);
  }

  /** No hook: the usual case, which must not cost a promise. */
  get #isFree(): boolean {
    return this.#scope.permissions === undefined;
  }

  /** What the hook is asked about and what is done; without a hook nothing waits between. */
  #own<T>(given: T): T {
    return this.#isFree ? given : ownCopy(given);
  }

  async #may(
    action: PermissionRequest["action"],
    subject: Pick<PermissionRequest, "key" | "changes"> = {},
  ): Promise<Narrowing> {
    return authorize(this.#scope, this.#model, { action, ...subject });
  }

  /** A list is asked for as a whole before anything is written, like its check. */
  async #allowedRows(inputs: Rows): Promise<Rows> {
    if (!Array.isArray(inputs)) return this.#allowedOneByOne(inputs);
    const allowed: unknown[] = [];
    await forEachInSlices(inputs, async (input) => {
      const changes = ownCopy(input);
      await this.#may("create", { changes });
      allowed.push(changes);
    });
    return allowed;
  }

  async *#allowedOneByOne(inputs: Rows): AsyncGenerator<unknown> {
    for await (const input of inputs) {
      const changes = ownCopy(input);
      await this.#may("create", { changes });
      yield changes;
    }
  }

  async #include(rows: readonly Row[], options: GetOptions): Promise<void> {
    await includeRelations(this.#scope, this.#model, rows, options.include, callOf(options));
  }

  /** The rows with their relations, frozen. */
  async #included(rows: readonly Row[], options: GetOptions): Promise<void> {
    if (options.include !== undefined) await this.#include(rows, options);
    await forEachInSlices(rows, (row) => void deepFreeze(row));
  }

  /** The options of a call that has no others. */
  #call(options: WriteOptions, method: string): CallOptions {
    if (options === NO_OPTIONS) return NO_OPTIONS;
    this.#check(options, CALL_OPTIONS, method);
    return callOf(options);
  }

  /** The options of a call that changes one row. */
  #edit(options: EditOptions, method: string, key: unknown): UnitOptions {
    if (options === NO_OPTIONS) return NO_OPTIONS;
    this.#check(options, EDIT_OPTIONS, method);
    const call = callOf(options);
    if (!("since" in options)) return call;
    const { since } = options;
    // A field that a form has lost is not the wish to write unchecked.
    if (since === undefined) throw lostPosition(method, this.#model.name);
    return { ...call, expects: [unchangedSince(this.#model, key, since)] };
  }

  #check(options: object, known: readonly string[], method: string): void {
    if (options === NO_OPTIONS) return;
    refuseUnknownKeys(options, known, `${method} of "${this.#model.name}"`);
  }
}

function callOf({ signal }: { readonly signal?: AbortSignal }): CallOptions {
  assertSignal(signal);
  return signal === undefined ? NO_OPTIONS : { signal };
}
