/**
 * What repositories work in: a session, and what is true for everything done through it. There is
 * one scope for a database, one for each `db.as(user)`, and one for each transaction.
 */

import type { CachedReads } from "../coherence/cached-reads.ts";
import type { Coherence } from "../coherence/coherence.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { ValidationContext } from "../schema/validate-plan.ts";
import type {
  ResultSet,
  Session,
  Statement,
  TransactionOptions,
  UnitOptions,
} from "../store/store.ts";
import { enrichConstraint } from "./constraint.ts";
import { EventBuffer } from "./event-buffer.ts";
import type { EventSink } from "./event-sink.ts";
import type { Model } from "./model.ts";
import type { Models } from "./models.ts";
import {
  askPermission,
  type Narrowing,
  type PermissionHook,
  type PermissionRequest,
} from "./permissions.ts";
import type { PageLimits } from "./types.ts";

/** See above. */
export interface Scope {
  readonly session: Session;
  readonly models: Models;
  readonly limits: PageLimits;
  readonly events: EventSink;
  /** Whether the program raises events of its own, whose names only types know. */
  readonly hasOwnEvents: boolean;
  /** Where defaults come from. */
  readonly validation: ValidationContext;
  /** Who acts, for permissions; for the audit log the session says it. */
  readonly actor: string | undefined;
  readonly permissions: PermissionHook | undefined;
  /**
   * By which a unit of work knows whether what it has read was changed; loaded when it is asked.
   * None without a log, and none in a transaction, beside which nobody else writes.
   */
  readonly coherence?: (() => Coherence) | undefined;
  /** Whether the session notes what each statement of a repository reads, as a unit's does. */
  readonly notesReads?: boolean;
  /** Where results are kept; absent in a transaction, whose rows are for nobody else. */
  readonly cache?: ReadCache | undefined;
}

/** The kept results of one database. */
export interface ReadCache {
  /** Those of one kind of read, such as `tasks.get`; undefined while nothing can be kept. */
  reads(name: string): CachedReads | undefined;
}

/** Asks the hook, if there is one. */
export function authorize(
  scope: Scope,
  model: Model,
  request: Omit<PermissionRequest, "entity" | "actor">,
): Promise<Narrowing> | undefined {
  const { permissions, actor } = scope;
  if (permissions === undefined) return undefined;
  return askPermission(permissions, model, { entity: model.name, actor, ...request });
}

/** @throws `INVALID_ARGUMENT` for a rollup, whose rows follow from those of its source. */
export function refuseRollup({ name, facts }: Model): void {
  if (facts.rollup === undefined) return;
  const source = facts.rollup.source.table;
  const message = `"${name}" is a rollup, which only db.repository() reads: write "${source}".`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { entity: name, source } });
}

/** Runs a unit for one entity. */
export function writeUnit(
  scope: Scope,
  model: Model,
  unit: readonly Statement[],
  options: UnitOptions,
): Promise<readonly ResultSet[]> {
  return withReasons(scope, model, () => scope.session.write(unit, options));
}

/** Runs a write; a constraint that it violates is told in the words of the entity. */
export async function withReasons<T>(
  { models }: Scope,
  model: Model,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw enrichConstraint(error, model, models);
  }
}

/** `transact` for the write of one entity. */
export function inTransaction<T>(
  scope: Scope,
  model: Model,
  options: TransactionOptions,
  run: (inner: Scope) => Promise<T>,
): Promise<T> {
  return withReasons(scope, model, () => transact(scope, options, run));
}

/**
 * Runs `run` in a transaction of this scope (a savepoint inside another). Events are passed on when
 * it has been committed, and dropped with it otherwise.
 */
export async function transact<T>(
  scope: Scope,
  options: TransactionOptions,
  run: (inner: Scope) => Promise<T>,
): Promise<T> {
  const events = new EventBuffer(scope.events);
  const result = await scope.session.transaction(
    (session) => run({ ...scope, session, events, coherence: undefined, cache: undefined }),
    options,
  );
  await events.deliver();
  return result;
}

/** The error for a row that is not there. */
export function notFound(model: Model, key: unknown): SpringhouseError {
  const shown = JSON.stringify(key, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return new SpringhouseError("NOT_FOUND", `There is no row ${shown} in "${model.name}".`, {
    fields: { entity: model.name, key },
  });
}
