/** A case of the proof as plain data: it can be run again, made smaller, and written down. */

import type { CoherenceQuery } from "./subject.ts";

/** One transaction. Statements that fail leave no trace and do not end it. */
export interface CommitStep {
  readonly kind: "commit";
  /** `"own"`: the writer of the cache; `"others"`: a plain connection that knows nothing of it. */
  readonly by: "own" | "others";
  readonly statements: readonly string[];
}

/** Reads and commits that meet. Everything has ended before the next step. */
export interface RaceStep {
  readonly kind: "race";
  readonly events: readonly RaceEvent[];
}

/** What happens next in a race; nothing of it is waited for. */
export type RaceEvent =
  /** Queries, by their numbers, are read. */
  | { readonly kind: "read"; readonly queries: readonly number[] }
  /** The same as one state of the database. */
  | { readonly kind: "together"; readonly queries: readonly number[] }
  | CommitStep
  /** So many turns of the event loop go by. */
  | { readonly kind: "turns"; readonly count: number }
  /** Queries are read before and after a commit of the own writer, with the event loop held up. */
  | { readonly kind: "stall"; readonly queries: readonly number[] };

/** More queries, numbered on from those before. */
export interface QueriesStep {
  readonly kind: "queries";
  readonly queries: readonly CoherenceQuery[];
}

export type Step = CommitStep | RaceStep | QueriesStep;

/** A whole case. */
export interface CoherenceCase {
  /** Statements of the plain connection, before the cache is opened. Some may fail. */
  readonly schema: readonly string[];
  readonly steps: readonly Step[];
}

/** What went wrong. */
export interface CoherenceFailure {
  /** `"hit"`: from memory after a commit; `"read"`: by a call. */
  readonly where: "hit" | "read";
  /** Number of the step. */
  readonly step: number;
  /** Numbers of the queries, several when they were read together. */
  readonly queries: readonly number[];
  /** What the cache gave, one line for each row. */
  readonly given: string;
  /** What it could have given: the states of the database during the call. */
  readonly right: readonly string[];
  /** Why the call failed, when it did and should not have. */
  readonly error?: string;
}
