/**
 * What repositories work in: a session, and what is true for everything done through it. There is
 * one scope for a database, one for each `db.as(user)`, and one for each transaction.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { ValidationContext } from "../schema/validate-plan.ts";
import type {
  CallOptions,
  ResultSet,
  Session,
  Statement,
  TransactionOptions,
} from "../store/store.ts";
import type { ActorStatements } from "./actor.ts";
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

/** A bulk write waits for its input, so the deadline of ordinary transactions is too short. */
const BULK_DEADLINE_MS = 3_600_000;

/** See above. */
export interface Scope {
  readonly session: Session;
  readonly models: Models;
  readonly limits: PageLimits;
  readonly events: EventSink;
  /** Where defaults come from. */
  readonly validation: ValidationContext;
  /** Who acts, for permissions and the audit log. */
  readonly actor: string | undefined;
  readonly permissions: PermissionHook | undefined;
  /** Tells the audit triggers who acts; absent where that is said already, or need not be. */
  readonly actorStatements: ActorStatements | undefined;
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

/** Runs a unit, with the actor around it; gives the results of the given statements alone. */
export async function writeUnit(
  scope: Scope,
  model: Model,
  unit: readonly Statement[],
  options: CallOptions,
): Promise<readonly ResultSet[]> {
  const { session, actorStatements: actor } = scope;
  return withReasons(scope, model, async () => {
    if (actor === undefined) return session.write(unit, options);
    const results = await session.write([actor.set, ...unit, actor.clear], options);
    return results.slice(1, -1);
  });
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
 * Runs `run` in a transaction of this scope (a savepoint inside another), with the actor around it.
 * Events are passed on when it has been committed, and dropped with it otherwise.
 */
export async function transact<T>(
  scope: Scope,
  options: TransactionOptions,
  run: (inner: Scope) => Promise<T>,
): Promise<T> {
  const { session, actorStatements: actor } = scope;
  const events = new EventBuffer(scope.events);
  const result = await session.transaction(async (transaction) => {
    if (actor !== undefined) await transaction.write([actor.set]);
    const value = await run({ ...scope, session: transaction, events, actorStatements: undefined });
    if (actor !== undefined) await transaction.write([actor.clear]);
    return value;
  }, options);
  await events.deliver();
  return result;
}

/** For a transaction of many rows. Inside another one the deadline of that one holds. */
export function bulkOptions({ session }: Scope, options: CallOptions): TransactionOptions {
  return "depth" in session ? options : { ...options, deadlineMs: BULK_DEADLINE_MS };
}

/** The error for a row that is not there. */
export function notFound(model: Model, key: unknown): SpringhouseError {
  const shown = JSON.stringify(key, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return new SpringhouseError("NOT_FOUND", `There is no row ${shown} in "${model.name}".`, {
    fields: { entity: model.name, key },
  });
}
