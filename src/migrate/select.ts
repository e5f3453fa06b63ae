/** Which migrations a call of `up` or `down` is about, or why it must not go on. Pure. */

import { SpringhouseError } from "../core/errors.ts";
import { type Assessment, outOfOrderError, problemOf } from "./assess.ts";
import { labelOf } from "./files.ts";
import type { Migration } from "./migration.ts";
import type { DownOptions, UpOptions } from "./migrator.ts";

/** What is to be done. */
export interface Selection {
  /** Applied before, with data steps left to finish; always empty for `down`. */
  readonly unfinished: readonly Migration[];
  /** To apply or to revert, in this order. */
  readonly migrations: readonly Migration[];
}

/**
 * What `up` is to do.
 *
 * @throws `MIGRATION_CHANGED`, `SCHEMA_NEWER`, `MIGRATION_OUT_OF_ORDER`, `INVALID_ARGUMENT`.
 */
export function selectUp(
  assessment: Assessment,
  { to, only, outOfOrder = false }: UpOptions,
): Selection {
  const [problem] = assessment.problems;
  if (problem !== undefined) throw problem;
  if (to !== undefined && only !== undefined) throw refuse("give `to` or `only`, not both");
  const { pending, skipped, unfinished, rows, states } = assessment;
  for (const version of [to, only]) requireKnown(version, states);
  const chosen =
    only === undefined
      ? pending.filter(({ version }) => version <= (to ?? Number.POSITIVE_INFINITY))
      : pending.filter(({ version }) => version === only);
  const first = chosen[0];
  const newest = rows.at(-1);
  if (!outOfOrder && first !== undefined) {
    const missing = pending.filter(({ version }) => version < first.version);
    if (missing.length > 0) throw outOfOrderError(first, missing);
    if (newest !== undefined && skipped.includes(first)) throw outOfOrderError(newest, skipped);
  }
  return { unfinished, migrations: chosen };
}

/**
 * What `down` is to do, newest first.
 *
 * @throws `MIGRATION_IRREVERSIBLE`, `MIGRATION_CHANGED`, `SCHEMA_NEWER`, `INVALID_ARGUMENT`.
 */
export function selectDown(
  assessment: Assessment,
  known: readonly Migration[],
  { steps, to }: DownOptions,
): Selection {
  if (steps !== undefined && to !== undefined) throw refuse("give `steps` or `to`, not both");
  if (steps !== undefined && !(Number.isSafeInteger(steps) && steps >= 1)) {
    throw refuse(`steps must be a whole number from 1, got ${steps}`);
  }
  if (to !== 0) requireKnown(to, assessment.states);
  const newestFirst = assessment.rows.toReversed();
  const rows =
    to === undefined
      ? newestFirst.slice(0, steps ?? 1)
      : newestFirst.filter(({ version }) => version > to);
  const migrations = rows.map(({ version, state, name }) => {
    const facts = assessment.states.find((entry) => entry.version === version);
    const problem = facts === undefined ? undefined : problemOf(facts);
    if (problem !== undefined) throw problem;
    const migration = known.find((entry) => entry.version === version);
    const label = labelOf({ version, name });
    if (state === "baseline" || migration === undefined) {
      throw irreversible(label, "was taken over as the baseline, it was never run here");
    }
    if (migration.down === undefined) throw irreversible(label, "has no way back");
    return migration;
  });
  return { unfinished: [], migrations };
}

function requireKnown(version: number | undefined, states: Assessment["states"]): void {
  if (version === undefined || states.some((state) => state.version === version)) return;
  const known = states.map(labelOf).join(", ") || "none";
  throw refuse(`there is no migration ${version}; there are: ${known}`);
}

function irreversible(label: string, reason: string): SpringhouseError {
  const message = `${label} ${reason}. Restore a backup, or write a new migration that undoes it.`;
  return new SpringhouseError("MIGRATION_IRREVERSIBLE", message, { fields: { label } });
}

function refuse(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `Migrate: ${reason}.`);
}
