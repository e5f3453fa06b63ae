/**
 * N+1: one statement for a list, and then one more for each of its rows.
 *
 * The rule: within one request the same statement (literals and lists aside) is asked for at least
 * `n1Threshold` times with different values. The same values again are a case for a cache and no
 * N+1; statements of other requests do not count. A request is what runs inside of `run`, awaited
 * calls included. Values never leave the watch, of most only a hash is kept, and the call site is
 * looked for at the second to fourth run only, so that the usual statement costs a look-up in a
 * map.
 */

import { channel } from "node:diagnostics_channel";
import { assertFunction } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { hashText } from "../core/hash.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { fingerprintOf } from "../core/sql-fingerprint.ts";
import type { SqlValue, Statement } from "../core/statement.ts";
import { watchStatements } from "../core/statement-watch.ts";
import { batchedForm } from "./batched.ts";
import { callSite } from "./call-site.ts";

/** How a request is watched. */
export interface NPlusOneOptions {
  /** Runs of one statement with different values that are too many. Default: 5. */
  readonly n1Threshold?: number;
}

/** A statement that could have been asked for once. */
export interface NPlusOne {
  /** Without literals; a list is one `?`. */
  readonly sql: string;
  readonly count: number;
  /** Different sets of values among them. */
  readonly distinct: number;
  /** `file:line` of the application; undefined when the stack does not reach it. */
  readonly callSite: string | undefined;
  /** What to write instead. */
  readonly suggestion: string;
}

/** Requests with an N+1, as they end: `{ findings }`. */
export const nPlusOneChannel: ReturnType<typeof channel> = channel("springhouse:n-plus-one");

/** As often as most pages show rows of a list; fewer cost little. */
const THRESHOLD = 5;
/** A request with more statements than that has another problem; the rest is counted together. */
const STATEMENTS_MAX = 1_000;
/** Different values that are told apart; there is an N+1 long before. */
const VALUES_MAX = 1_000;
/** The first run has no pattern yet, and whoever repeats it has repeated it by the fourth. */
const SITE_RUNS = { first: 2, last: 4 };

/**
 * Runs `run` as one request and gives what it gives, with the N+1 found in it.
 *
 * @example
 * const { result, findings } = await findNPlusOne(() => handle(request));
 */
export async function findNPlusOne<T>(
  run: () => Promise<T>,
  options: NPlusOneOptions = {},
): Promise<{ readonly result: T; readonly findings: readonly NPlusOne[] }> {
  assertFunction("findNPlusOne: run", run);
  const request = new WatchedRequest(thresholdOf(options));
  const result = await watchStatements((statement) => request.note(statement), run);
  const findings = request.findings();
  if (findings.length > 0 && nPlusOneChannel.hasSubscribers) nPlusOneChannel.publish({ findings });
  return { result, findings };
}

/**
 * Runs `run` as one request and fails when it has an N+1. For tests.
 *
 * @throws `N_PLUS_ONE` naming the statement, the place and the statement to use instead.
 * @example
 * const page = await assertNoNPlusOne(() => loadWeekPage(db, 7));
 */
export async function assertNoNPlusOne<T>(
  run: () => Promise<T>,
  options: NPlusOneOptions = {},
): Promise<T> {
  const { result, findings } = await findNPlusOne(run, options);
  if (findings.length === 0) return result;
  const lines = findings.map(
    ({ sql, count, callSite: site, suggestion }) =>
      `${count} times at ${site ?? "an unknown place"}: ${sql}\n  ${suggestion}`,
  );
  throw new SpringhouseError("N_PLUS_ONE", `N+1 found.\n${lines.join("\n")}`, {
    fields: { findings },
  });
}

interface Seen {
  count: number;
  /** Hashes. */
  readonly values: Set<string>;
  /** The values of the first run, to see which of them change. */
  readonly first: readonly SqlValue[];
  readonly varying: Set<number>;
  site: string | undefined;
  readonly text: string;
}

/** The statements of one request. */
export class WatchedRequest {
  readonly #threshold: number;
  readonly #prints = new Map<string, string>();
  readonly #seen = new Map<string, Seen>();

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Notes a statement that is asked for. */
  note({ sql, parameters }: Statement): void {
    const print = this.#printOf(sql);
    const seen = this.#seen.get(print);
    if (seen === undefined) {
      if (this.#seen.size >= STATEMENTS_MAX) return;
      const values = new Set([keyOf(sql, parameters)]);
      const first = parameters;
      const varying = new Set<number>();
      this.#seen.set(print, { count: 1, values, first, varying, site: undefined, text: sql });
      return;
    }
    seen.count++;
    if (seen.values.size < VALUES_MAX) seen.values.add(keyOf(sql, parameters));
    for (const [position, value] of parameters.entries()) {
      if (value !== seen.first[position]) seen.varying.add(position);
    }
    if (seen.site === undefined && isSiteRun(seen.count)) seen.site = callSite();
  }

  /** What was found, of all statements or of one. */
  findings(sql?: string): readonly NPlusOne[] {
    const wanted = sql === undefined ? undefined : this.#printOf(sql);
    return [...this.#seen].flatMap(([print, seen]) => {
      if (wanted !== undefined && print !== wanted) return [];
      if (seen.values.size < this.#threshold) return [];
      const suggestion = batchedForm(seen.text, [...seen.varying]);
      const { count, values, site } = seen;
      return [{ sql: print, count, distinct: values.size, callSite: site, suggestion }];
    });
  }

  #printOf(sql: string): string {
    const known = this.#prints.get(sql);
    if (known !== undefined) return known;
    const print = fingerprintOf(sql);
    if (this.#prints.size < STATEMENTS_MAX) this.#prints.set(sql, print);
    return print;
  }
}

function isSiteRun(count: number): boolean {
  return count >= SITE_RUNS.first && count <= SITE_RUNS.last;
}

/** Texts with literals differ by them; bytes by what they are. */
function keyOf(sql: string, parameters: readonly SqlValue[]): string {
  const values = parameters.map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : `${typeof value}${value}`,
  );
  return hashText([sql, ...values].join("\0"));
}

function thresholdOf(options: NPlusOneOptions): number {
  refuseUnknownKeys(options, ["n1Threshold"], "findNPlusOne");
  const { n1Threshold = THRESHOLD } = options;
  if (Number.isInteger(n1Threshold) && n1Threshold >= 2) return n1Threshold;
  const message = `n1Threshold must be a whole number from 2, not ${String(n1Threshold)}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { n1Threshold } });
}
