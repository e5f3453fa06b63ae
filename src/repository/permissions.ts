/**
 * Permissions of repositories: one hook that every call asks, hit or miss. It fails closed: only
 * `true` and a condition let a call through.
 *
 * What the hook is asked about is what is done. It may answer later, so whoever asks takes an
 * `ownCopy` before, for the caller may change an object meanwhile; and the hook gets another one,
 * so that it cannot change what it allows.
 */

import { SpringhouseError } from "../core/errors.ts";
import { ownCopy } from "../core/own-copy.ts";
import type { Model } from "./model.ts";

/** What somebody wants to do. */
export interface PermissionRequest {
  /** Name of the entity: its table. */
  readonly entity: string;
  readonly action: "read" | "create" | "update" | "delete";
  /** For one row: its key, frozen. Absent for calls that find rows by themselves. */
  readonly key?: unknown;
  /** For create and update: what the caller gave, as a frozen copy. */
  readonly changes?: unknown;
  /** Who acts: `db.as(user)`. */
  readonly actor: string | undefined;
}

/** Yes, no, or only for the rows that match. A condition means nothing for a create. */
export type PermissionDecision = boolean | { readonly where: Readonly<Record<string, unknown>> };

/** Decides whether a call may go on. What it throws reaches the caller. */
export type PermissionHook = (
  request: PermissionRequest,
) => PermissionDecision | Promise<PermissionDecision>;

/** A further condition on rows, or none. */
export type Narrowing = Readonly<Record<string, unknown>> | undefined;

/** @throws `PERMISSION_DENIED` when the hook says no. */
export async function askPermission(
  hook: PermissionHook,
  model: Model,
  request: PermissionRequest,
): Promise<Narrowing> {
  const decision = await hook(ownCopy(request));
  if (decision === true) return undefined;
  if (typeof decision === "object" && isCondition(decision?.where)) {
    if (request.action !== "create") return decision.where;
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `The permissions hook gave a condition for a create of "${model.name}": give true or false.`,
      { fields: { entity: model.name } },
    );
  }
  throw permissionDenied(model, request);
}

/** The error for a call that was not allowed. */
export function permissionDenied(model: Model, request: PermissionRequest): SpringhouseError {
  const { action, actor, key } = request;
  const who = actor === undefined ? "without an actor" : `as ${JSON.stringify(actor)}`;
  return new SpringhouseError(
    "PERMISSION_DENIED",
    `The permissions hook refused to ${action} "${model.name}" ${who}.`,
    { fields: { entity: model.name, action, actor, ...(key === undefined ? {} : { key }) } },
  );
}

/** A rule that was looked up and not found gives no condition, which must not mean all rows. */
function isCondition(where: unknown): boolean {
  return typeof where === "object" && where !== null;
}
