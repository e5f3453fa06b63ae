/** The rollups of an open database: how they are kept, whether they are right, made anew. */

import type { Catalog } from "../schema/catalog.ts";
import type { CallOptions, Store } from "../store/store.ts";
import { type RebuildOptions, type RebuildResult, rebuildRollup } from "./rebuild.ts";
import { findRollup, type RollupState, rollupStates } from "./state.ts";
import { type RollupReport, verifyRollups } from "./verify.ts";

/**
 * Made by `db.rollups`.
 *
 * @example
 * const reports = await db.rollups.verify();
 * for (const { name, ok } of reports) if (!ok) await db.rollups.rebuild([name]);
 */
export class Rollups {
  readonly #store: Store;
  readonly #catalog: Catalog;
  readonly #keep: () => Promise<void>;

  /** @param keep marks rollups that are passed by, if that can be done. */
  constructor(store: Store, catalog: Catalog, keep: () => Promise<void> = async () => undefined) {
    this.#store = store;
    this.#catalog = catalog;
    this.#keep = keep;
  }

  /**
   * Whether each is kept, is being rebuilt, or is passed by. What is found to be passed by is read
   * from its source from then on, until it is rebuilt.
   */
  async state(): Promise<readonly RollupState[]> {
    await this.#keep();
    return await rollupStates(this.#store, this.#catalog);
  }

  /**
   * Compares them with a recount of their sources. Default: all of them.
   *
   * @throws `INVALID_ARGUMENT` for an unknown name.
   */
  verify(names?: readonly string[], options: CallOptions = {}): Promise<readonly RollupReport[]> {
    return verifyRollups(this.#store, this.#catalog, names, options);
  }

  /**
   * Makes them anew, one after the other, while the program goes on. Default: all of them.
   *
   * @throws `INVALID_ARGUMENT` for an unknown name, before anything is done; `ABORTED`, and the
   * next call goes on from there.
   */
  async rebuild(
    names: readonly string[] = this.#catalog.rollups.map(({ table }) => table),
    options: RebuildOptions = {},
  ): Promise<readonly RebuildResult[]> {
    for (const name of names) findRollup(this.#catalog, name);
    const results: RebuildResult[] = [];
    for (const name of names) {
      results.push(await rebuildRollup(this.#store, this.#catalog, name, options));
    }
    return results;
  }
}
