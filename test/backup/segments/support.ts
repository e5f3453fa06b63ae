/** A live database beside a store, shipped step by step; and what a database holds, as a hash. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished } from "vitest";
import type { ObjectStore, StoredObject } from "../../../src/backup/object-store.ts";
import { readCatalog } from "../../../src/backup/segments/catalog.ts";
import { readHead } from "../../../src/backup/segments/head.ts";
import { planRestore, type RestoreTarget } from "../../../src/backup/segments/plan.ts";
import { replay } from "../../../src/backup/segments/replay.ts";
import {
  type ShipEvent,
  Shipper,
  type ShipperOptions,
} from "../../../src/backup/segments/shipper.ts";
import { SpringhouseError } from "../../../src/core/errors.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { newFolder } from "../support.ts";

/** A connection in WAL mode that is closed after the test. */
export function connect(path: string, pageSize = 4_096): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF`);
  onTestFinished(() => {
    if (database.isOpen) database.close();
  });
  return database;
}

/** Everything that a database says, in an order that does not hang on its pages. */
export function contentHash(database: DatabaseSync): string {
  const hash = createHash("sha256");
  const schema = database.prepare(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
  );
  for (const object of schema.all()) {
    hash.update(JSON.stringify(object));
    if (object["type"] !== "table") continue;
    const table = String(object["name"]).replaceAll('"', '""');
    const rows = database.prepare(`SELECT rowid, * FROM "${table}" ORDER BY rowid`);
    rows.setReadBigInts(true);
    for (const row of rows.iterate()) {
      hash.update(
        Object.values(row)
          .map((value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
          )
          .join("|"),
      );
    }
  }
  return hash.digest("hex");
}

/** The hash of a file, which has to be sound; nobody else may have it open. */
export function hashOfFile(path: string): string {
  using database = new DatabaseSync(path);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  return contentHash(database);
}

/** Restores from a store and gives the hash of what came out. */
export async function restoredFrom(store: ObjectStore, target: RestoreTarget): Promise<string> {
  const plan = planRestore(await readCatalog(store), target, await readHead(store));
  const file = join(newFolder(), "restored.db");
  await replay(store, plan, file);
  return hashOfFile(file);
}

/** A shipper over a store in memory, and what it told. */
export interface Rig {
  readonly shipper: Shipper;
  readonly store: MemoryStore;
  readonly clock: FakeClock;
  readonly events: ShipEvent[];
  /** Restores and gives the hash of what came out. */
  restored(target: RestoreTarget): Promise<string>;
}

/** A shipper of `path`; it does nothing until `step` is called. */
export function ship(
  path: string,
  options: Partial<ShipperOptions> = {},
  {
    store = new MemoryStore(),
    clock = new FakeClock(),
  }: Partial<Pick<Rig, "store" | "clock">> = {},
): Rig {
  const events: ShipEvent[] = [];
  const day = 24 * 3_600_000;
  const shipper = new Shipper({
    database: path,
    store,
    clock,
    baseEveryMs: day,
    keepMs: 7 * day,
    logBytesMax: 1e9,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => shipper.close());
  const restored = (target: RestoreTarget): Promise<string> => restoredFrom(store, target);
  return { shipper, store, clock, events, restored };
}

/** A store in memory: fast, and it can be told to fail and be looked into. */
export class MemoryStore implements ObjectStore {
  readonly place = "memory";
  readonly objects = new Map<string, Uint8Array>();
  /** Thrown by `put` while it is set. */
  failure: Error | undefined;
  /** Called while an object is on its way: the place for what others do meanwhile. */
  onPut: () => void = () => undefined;

  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.onPut();
    this.objects.set(name, bytes);
  }

  async get(name: string): Promise<Uint8Array> {
    const bytes = this.objects.get(name);
    if (bytes === undefined) throw new SpringhouseError("NOT_FOUND", `no ${name}`);
    return bytes;
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    if (this.failure !== undefined) throw this.failure;
    return [...this.objects]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { length }]) => ({ name, sizeBytes: length }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) this.objects.delete(name);
  }

  async close(): Promise<void> {}
}
