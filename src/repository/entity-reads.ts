/**
 * The reads of one repository, through the cache where there is one. What they give is frozen, hit
 * or miss, with a cache or without: who changes a row writes it, or takes a unit of work.
 *
 * The narrowing that permissions gave is part of every key, so that a result is given only to whom
 * the same rows are allowed.
 */

import type { CachedReads } from "../coherence/cached-reads.ts";
import { throwIfAborted } from "../core/abort.ts";
import { deepFreeze } from "../core/deep-freeze.ts";
import { forEachInSlices } from "../core/slices.ts";
import type { CallOptions } from "../store/store.ts";
import { keyText, type Model, type Row } from "./model.ts";
import type { Narrowing } from "./permissions.ts";
import {
  KEYS_PER_READ,
  type ListPlan,
  type Planned,
  planByKeys,
  planCount,
  planExists,
  planList,
  planOne,
  planPage,
  type RowPage,
  readMany,
} from "./read.ts";
import { readKey } from "./read-key.ts";
import type { Scope } from "./scope.ts";

type Kind = "get" | "getMany" | "list" | "page" | "count" | "exists";

/** See above. */
export class EntityReads {
  readonly #scope: Scope;
  readonly #model: Model;
  readonly #hasIntKey: boolean;
  readonly #kept = new Map<Kind, CachedReads>();
  /** One of those above, for the fastest path. */
  #gets: CachedReads | undefined;

  constructor(scope: Scope, model: Model) {
    this.#scope = scope;
    this.#model = model;
    this.#hasIntKey = model.key.length === 1 && model.key[0]?.column.kind === "int";
  }

  /** A row of a numbered entity that may be given at once, without a narrowing. */
  hit(key: unknown): Promise<unknown> | undefined {
    if (this.#gets === undefined || !this.#hasIntKey || !Number.isSafeInteger(key))
      return undefined;
    return this.#gets.find(String(key));
  }

  /** The row with this key. */
  one(key: unknown, narrowing: Narrowing, call: CallOptions): Promise<Row | undefined> {
    const isShort = narrowing === undefined && this.#hasIntKey && Number.isSafeInteger(key);
    const text = isShort ? String(key) : readKey([key, narrowing]);
    return this.#read("get", text, call, () => {
      const values = this.#model.keyValues(key);
      return frozen(planOne(this.#scope, this.#model, values, narrowing, call), deepFreeze);
    });
  }

  /** The rows with these keys, in their order. */
  async many(
    keys: readonly unknown[],
    narrowing: Narrowing,
    call: CallOptions,
  ): Promise<(Row | undefined)[]> {
    const model = this.#model;
    if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_PER_READ) {
      const rows = await readMany(this.#scope, model, keys, narrowing, call);
      await forEachInSlices(rows, (row) => void deepFreeze(row));
      return rows;
    }
    const rows = await this.#read("getMany", readKey([narrowing, ...keys]), call, () => {
      const wanted = keys.map((key) => model.keyValues(key));
      const { run, ...planned } = planByKeys(this.#scope, model, wanted, narrowing, call);
      const inOrder = async (): Promise<(Row | undefined)[]> => {
        const found = await run();
        return wanted.map((values) => deepFreeze(found.get(keyText(values))));
      };
      return { ...planned, run: inOrder };
    });
    return [...rows];
  }

  /** A list of rows, which is the caller's own. */
  async list(plan: ListPlan, narrowing: Narrowing, call: CallOptions): Promise<Row[]> {
    const { where, orderBy, limit, offset, cursor } = plan;
    const text = readKey([where, narrowing, orderBy, limit, offset, cursor]);
    const rows = await this.#read("list", text, call, () => {
      const planned = planList(this.#scope, this.#model, plan, narrowing, call);
      return planned === undefined ? undefined : frozen(planned, freezeRows);
    });
    // The slice of a frozen list takes thirty times as long.
    return rows === undefined ? [] : [...rows];
  }

  /** A page of rows. */
  async page(plan: ListPlan, narrowing: Narrowing, call: CallOptions): Promise<RowPage> {
    const { where, orderBy, limit, cursor } = plan;
    const text = readKey([where, narrowing, orderBy, limit, cursor]);
    const page = await this.#read("page", text, call, () => {
      const planned = planPage(this.#scope, this.#model, plan, narrowing, call);
      return planned === undefined ? undefined : frozen(planned, freezePage);
    });
    return page ?? { rows: [] };
  }

  /** How many rows match. */
  count(where: unknown, narrowing: Narrowing, call: CallOptions): Promise<number> {
    return this.#read("count", readKey([where, narrowing]), call, () =>
      planCount(this.#scope, this.#model, where, narrowing, call),
    );
  }

  /** Whether a row has this key. */
  exists(key: unknown, narrowing: Narrowing, call: CallOptions): Promise<boolean> {
    return this.#read("exists", readKey([key, narrowing]), call, () =>
      planExists(this.#scope, this.#model, this.#model.keyValues(key), narrowing, call),
    );
  }

  /**
   * From memory, or by the plan. It is made at once, before its owner can change what it is made
   * of. A call with a signal does not share its read with others, so that it can give up alone.
   *
   * @param text undefined for what cannot be a key, which the plan will refuse.
   * @param plan undefined for a read of nothing.
   */
  #read<T>(
    kind: Kind,
    text: string | undefined,
    call: CallOptions,
    plan: () => Planned<T>,
  ): Promise<T>;
  #read<T>(
    kind: Kind,
    text: string | undefined,
    call: CallOptions,
    plan: () => Planned<T> | undefined,
  ): Promise<T | undefined>;
  async #read<T>(
    kind: Kind,
    text: string | undefined,
    call: CallOptions,
    plan: () => Planned<T> | undefined,
  ): Promise<T | undefined> {
    const results = text === undefined ? undefined : this.#resultsOf(kind);
    if (results === undefined || text === undefined) return plan()?.run();
    throwIfAborted(call.signal, "The read");
    const hit = results.find(text);
    if (hit !== undefined) return (await hit) as T;
    const planned = plan();
    if (planned === undefined || call.signal !== undefined) return planned?.run();
    return (await results.load(text, planned)) as T;
  }

  #resultsOf(kind: Kind): CachedReads | undefined {
    const known = this.#kept.get(kind);
    if (known !== undefined) return known;
    const results = this.#scope.cache?.reads(`${this.#model.name}.${kind}`);
    if (results === undefined) return undefined;
    this.#kept.set(kind, results);
    if (kind === "get") this.#gets = results;
    return results;
  }
}

function frozen<T>({ run, ...planned }: Planned<T>, freeze: (value: T) => unknown): Planned<T> {
  const frozenRun = async (): Promise<T> => {
    const value = await run();
    await freeze(value);
    return value;
  };
  return { ...planned, run: frozenRun };
}

/** The rows, and not the list, which is the caller's. */
async function freezeRows(rows: readonly Row[]): Promise<void> {
  await forEachInSlices(rows, (row) => void deepFreeze(row));
}

async function freezePage({ rows }: RowPage): Promise<void> {
  await freezeRows(rows);
}
