/**
 * The coherence of each file, shared by all who have it open in this process: they share its writer
 * too, and a commit through one of them is seen by the others.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { DatabaseFile } from "../sqlite/database-file.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import { Coherence } from "./coherence.ts";
import { LiveHub } from "./live-hub.ts";
import type { Marks } from "./marks.ts";
import { RollupAtoms } from "./rollup-atoms.ts";
import { type RollupKeeper, rollupKeeperOf } from "./rollup-keeper.ts";
import { SqliteCoherentDatabase } from "./sqlite-database.ts";
import { SqliteMarks } from "./sqlite-marks.ts";

interface Shared {
  readonly coherence: Coherence;
  readonly hub: LiveHub;
  readonly marks: Marks;
  readonly rollups: RollupAtoms;
  readonly keepers: Set<RollupKeeper>;
  readonly stores: Set<SqliteStore>;
}

const shared = new WeakMap<DatabaseFile, Shared>();

/** The coherence of a file, for one of its users. */
export interface CoherenceUse extends Disposable {
  readonly coherence: Coherence;
  readonly hub: LiveHub;
  readonly marks: Marks;
}

/** Takes part in the coherence of the store's file until disposed of. */
export function useCoherence(store: SqliteStore, catalog: Catalog): CoherenceUse {
  const { file } = store;
  const own = shared.get(file) ?? make(file);
  shared.set(file, own);
  own.stores.add(store);
  own.rollups.add(catalog);
  const keeper = rollupKeeperOf(store, catalog);
  own.keepers.add(keeper);
  // What was refused to those before may be allowed to this one.
  own.coherence.prepareAgain();
  return {
    coherence: own.coherence,
    hub: own.hub,
    marks: own.marks,
    [Symbol.dispose]: () => {
      own.stores.delete(store);
      own.keepers.delete(keeper);
    },
  };
}

function make(file: DatabaseFile): Shared {
  const stores = new Set<SqliteStore>();
  const rollups = new RollupAtoms();
  const keepers = new Set<RollupKeeper>();
  const open = (): SqliteStore => {
    const [first] = stores;
    for (const store of stores) if (!store.readOnly) return store;
    if (first !== undefined) return first;
    throw new SpringhouseError("CLOSED", `${file.path} is not open.`);
  };
  const database = new SqliteCoherentDatabase(file, { rollups, keepers, open });
  const coherence = new Coherence(database, rollups);
  const hub = new LiveHub(coherence, file.clock);
  file.writer.onCommitted = () => hub.committed();
  const marks = new SqliteMarks(database.log, open);
  return { coherence, hub, marks, rollups, keepers, stores };
}
