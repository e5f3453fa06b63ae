/**
 * A database in memory with one table, whose every wait is a gate that the test opens: so all orders
 * in which reads and writes can meet can be tried, one by one.
 */

import type { Change } from "../../src/change/change.ts";
import type { Footprint, Reading } from "../../src/change/footprint.ts";
import type { Position } from "../../src/change/position.ts";
import type { TableStructure } from "../../src/change/structure.ts";
import type { CoherentDatabase, Preparation } from "../../src/coherence/coherent-database.ts";
import type { LogSource, Look } from "../../src/coherence/log-source.ts";
import type { LoggedChange } from "../../src/coherence/ring.ts";
import type { SnapshotReads } from "../../src/coherence/tracking.ts";
import { withReading } from "../../src/store/reading.ts";
import type { Statement } from "../../src/store/store.ts";

/** Waits until the test lets whoever called go on. */
export type Gate = (name: string) => Promise<void>;

const TABLE: TableStructure = {
  name: "t",
  columns: [
    { name: "k", affinity: "integer", collation: "binary" },
    { name: "v", affinity: "integer", collation: "binary" },
  ],
  capture: "rows",
};

/** A row by its key. */
export function select(key: number): Statement {
  const footprint: Footprint = {
    atoms: [
      {
        table: "t",
        columns: new Set(["k", "v"]),
        predicate: { kind: "compare", column: "k", operator: "=", value: BigInt(key) },
      },
    ],
  };
  const statement = { sql: "SELECT v FROM t WHERE k = ?", parameters: [key] };
  return withReading(statement, () => ({ cacheable: true, footprint }));
}

/** See above. Values are counted up by writes, from 0. */
export class ModelDatabase implements CoherentDatabase, LogSource {
  readonly isInTransaction = false;
  readonly log: LogSource = this;
  announced = 0;
  settled = 0;
  readonly #gate: Gate;
  readonly #values = new Map<number, number>();
  readonly #changes: LoggedChange[] = [];
  #dataVersion = 0;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  valueOf(key: number): number {
    return this.#values.get(key) ?? 0;
  }

  /** A commit of our own writer: announced, made, settled, and then known to who waited for it. */
  async write(key: number): Promise<void> {
    await this.#gate("write");
    this.announced++;
    await this.#gate("commit");
    this.#commit(key);
    await this.#gate("settle");
    this.settled++;
    await this.#gate("reply");
  }

  /** A commit of another process. */
  async writeByOthers(key: number): Promise<void> {
    await this.#gate("write of others");
    this.#commit(key);
  }

  /** A read of no snapshot: what stands at some moment of it. */
  async readNow(key: number): Promise<number> {
    await this.#gate("read now");
    const value = this.valueOf(key);
    await this.#gate("give");
    return value;
  }

  isRestarted(): boolean {
    return false;
  }

  dataVersion(): number {
    return this.#dataVersion;
  }

  look(after: Position | undefined): Look {
    const changes = this.#changes.filter(({ sequence }) => sequence > (after?.sequence ?? 0));
    return {
      dataVersion: this.#dataVersion,
      schemaVersion: 1,
      position: this.#position,
      reachesBack: true,
      changes: after === undefined ? [] : changes,
    };
  }

  async prepare(): Promise<Preparation> {
    const schema = { table: (name: string) => (name === "t" ? TABLE : undefined) };
    return { ready: true, schemaVersion: 1, schema, isWhole: true };
  }

  async snapshot<T>(
    run: (reads: SnapshotReads, position: Position | undefined) => Promise<T>,
  ): Promise<T> {
    await this.#gate("snapshot");
    const values = new Map(this.#values);
    const position = this.#position;
    const read: SnapshotReads["read"] = async ({ parameters }) => {
      await this.#gate("read");
      return { columns: [], rows: [[values.get(Number(parameters[0])) ?? 0]], changes: 0 };
    };
    const result = await run({ read }, position);
    await this.#gate("release");
    return result;
  }

  readingOfText(): Reading {
    return { cacheable: false, reason: "it is not known" };
  }

  async mark(): Promise<void> {}

  async trim(): Promise<void> {}

  get #position(): Position {
    return { sequence: this.#changes.length + 1, mark: String(this.#changes.length) };
  }

  #commit(key: number): void {
    const before = this.valueOf(key);
    this.#values.set(key, before + 1);
    const columns = ["k", "v"];
    const change: Change = {
      kind: "row",
      table: "t",
      before: { columns, values: [BigInt(key), BigInt(before)] },
      after: { columns, values: [BigInt(key), BigInt(before + 1)] },
    };
    this.#changes.push({ sequence: this.#changes.length + 2, change });
    this.#dataVersion++;
  }
}
