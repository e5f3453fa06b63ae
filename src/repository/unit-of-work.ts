/**
 * A unit of work: rows are read as objects, changed in memory, and written by one commit. Nothing
 * is written without it, and leaving the scope without a decision is an error, because forgotten
 * changes would be lost silently.
 *
 * What was read is noted, and the commit expects that nobody has changed it meanwhile. Inside of a
 * transaction, and in a database without a log of changes, it expects nothing.
 */

import { parseVersion } from "../change/version-text.ts";
import { ReadNotes } from "../coherence/read-notes.ts";
import { assertSignal } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { forEachInSlices } from "../core/slices.ts";
import type { Entity } from "../schema/types.ts";
import type { CallOptions } from "../store/store.ts";
import { flush } from "./flush.ts";
import { IdentityMap, isPending } from "./identity-map.ts";
import type { Scope } from "./scope.ts";
import { UnitRepository } from "./unit-repository.ts";

/**
 * Made by `db.unitOfWork()`. Ended by `commit`, `rollback` or leaving its scope; every use after
 * that is `TRANSACTION_ENDED`.
 *
 * @example
 * await using unit = db.unitOfWork();
 * const task = await unit.repository(Task).get(1);
 * if (task !== undefined) task.score = 3;
 * await unit.commit();
 */
export class UnitOfWork<Entities extends readonly Entity[]> implements AsyncDisposable {
  readonly #scope: Scope;
  readonly #notes: ReadNotes | undefined;
  readonly #map = new IdentityMap();
  readonly #repositories = new Map<Entity, UnitRepository<Entity>>();
  #isEnded = false;
  #hasFailed = false;

  constructor(scope: Scope) {
    this.#scope = scope;
    const { session, coherence } = scope;
    this.#notes = coherence === undefined ? undefined : new ReadNotes(session, coherence);
  }

  /** The rows of an entity in this unit. */
  repository<E extends Entities[number]>(entity: E): UnitRepository<E> {
    this.#assertOpen();
    const { session } = this.#notes ?? this.#scope;
    const scope = { ...this.#scope, session, notesReads: this.#notes !== undefined };
    const unit = { scope, map: this.#map, assertOpen: () => this.#assertOpen() };
    const known = this.#repositories.get(entity) ?? new UnitRepository<Entity>(entity, unit);
    this.#repositories.set(entity, known);
    return known as unknown as UnitRepository<E>;
  }

  /**
   * Expects everything that this unit reads to be as it was at a position that `db.position()` gave
   * before: in the request that has shown what this one changes. Running the unit again would not
   * help against that, so `retry` does not.
   *
   * @throws `INVALID_ARGUMENT` for what is not a position, and where units expect nothing.
   */
  since(position: string): void {
    this.#assertOpen();
    const version = parseVersion("since: position", position);
    if (this.#notes !== undefined) {
      this.#notes.expectSince(version);
      return;
    }
    const message =
      "since() of a unit of work needs the log of changes. A database that was opened with " +
      "cache: false has none; in a transaction, give `since` to the write itself.";
    throw new SpringhouseError("INVALID_ARGUMENT", message);
  }

  /** Whether it was committed, rolled back or left. */
  get hasEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether `since` was called. */
  get isPinned(): boolean {
    return this.#notes?.isPinned ?? false;
  }

  /** Whether there is anything to write. */
  get isDirty(): boolean {
    return this.#map.entries.some(isPending);
  }

  /**
   * Writes everything in one transaction and ends the unit. When that fails nothing is written, and
   * the unit can be mended and committed again; not after `CONFLICT`, which stays.
   *
   * @throws `CONFLICT` when something that the unit has read was changed since; `VALIDATION`,
   * `CONSTRAINT`; `PERMISSION_DENIED`, also for a removed row that the hook's condition leaves out;
   * `NOT_FOUND` for a changed row that is gone. A removed one may be.
   */
  async commit(options: CallOptions = {}): Promise<void> {
    this.#assertOpen();
    refuseUnknownKeys(options, ["signal"], "commit");
    assertSignal(options.signal);
    this.#isEnded = true;
    try {
      await flush(this.#scope, this.#map.entries, options, () => this.#notes?.expectations());
    } catch (error) {
      this.#isEnded = false;
      this.#hasFailed = true;
      throw error;
    }
  }

  /** Writes nothing and ends the unit. The objects stay as they are. */
  rollback(): void {
    this.#assertOpen();
    this.#isEnded = true;
  }

  /**
   * @throws `UNIT_OF_WORK_DROPPED` when changes are left and neither `commit` nor `rollback` was
   * called. Not after a commit that failed, whose error is on its way; another error on its way
   * becomes the `suppressed` of JavaScript's `SuppressedError`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#hasFailed) return;
    let rows = 0;
    const names = new Set<string>();
    await forEachInSlices(this.#map.entries, (entry) => {
      if (!isPending(entry)) return;
      rows++;
      names.add(entry.model.name);
    });
    if (rows === 0) return;
    const entities = [...names];
    const changed = rows === 1 ? "1 changed row" : `${rows} changed rows`;
    throw new SpringhouseError(
      "UNIT_OF_WORK_DROPPED",
      `A unit of work was left with ${changed} of ${entities.join(", ")}, ` +
        "and nothing was written: call commit() to write them, or rollback() to give them up.",
      { fields: { rows, entities } },
    );
  }

  #assertOpen(): void {
    if (!this.#isEnded) return;
    throw new SpringhouseError(
      "TRANSACTION_ENDED",
      "This unit of work has ended: begin another one with unitOfWork().",
    );
  }
}
