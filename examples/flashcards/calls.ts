/**
 * The dictionary with all that stands between a program and a server that is slow, limited and
 * failing. From the outside to the inside:
 *
 * 1. patience: who is told to come later comes later, until it takes too long;
 * 2. the last good answer, while the server fails;
 * 3. a guard: a bulkhead, repetition, a circuit breaker, a limit of time; one for each stage;
 * 4. the answers of the last five minutes, which cost no request;
 * 5. the limit that the server tells of, kept here, so that it hardly ever has to refuse;
 * 6. the request.
 */

import { setTimeout } from "node:timers/promises";
import { isSpringhouseError, SpringhouseError } from "springhouse";
import type { Cache } from "springhouse/cache";
import {
  type FallbackResult,
  type Guard,
  type GuardStatistics,
  guard,
  rateLimited,
  withCacheFallback,
} from "springhouse/resilience";
import {
  type Analysis,
  Dictionary,
  type DictionaryConfig,
  DictionaryFailure,
  type Illustration,
  UnknownWord,
} from "./dictionary.ts";

/** How to call. */
export interface CallsOptions {
  /** The address of the server. No default. */
  readonly url: string;
  /** Requests of a stage under way at the same time. Default: 32. */
  readonly concurrency?: number;
  /** How long one request may take, milliseconds. Default: 1,000. */
  readonly timeoutMs?: number;
  /** How long a circuit stays open, milliseconds. Default: 1,000. */
  readonly pauseMs?: number;
  /** For how long a word waits for a server that refuses it, milliseconds. Default: 15,000. */
  readonly patienceMs?: number;
}

/** Whose requests they are; the limit is a user's. */
const USER = "pipeline";
/** The limit of a second in ten parts, so that a second does not begin with all its requests. */
const PARTS_OF_A_SECOND = 10;
/** Callers that may stand in line for a place, beyond those that have one. */
const QUEUE_MAX = 1_000;
const CONFIG_KEY = "dictionary";

type Ask<T> = (word: string, signal: AbortSignal) => Promise<FallbackResult<T>>;

/** Both stages, and what they have counted. */
export class Calls implements Disposable {
  /** Asks for the meaning of a word. @throws `UnknownWord`, and what its guard throws. */
  readonly analysis: Ask<Analysis>;
  /** Asks for a sentence that shows a word. @throws `UnknownWord`, and what its guard throws. */
  readonly illustration: Ask<Illustration>;
  readonly concurrency: number;
  readonly #guards: readonly Guard[];
  readonly #refreshing: Disposable;

  private constructor(
    dictionary: Dictionary,
    cache: Cache,
    { requestsPerSecond }: DictionaryConfig,
    refreshing: Disposable,
    options: CallsOptions,
  ) {
    const { concurrency = 32, timeoutMs = 1_000, pauseMs = 1_000, patienceMs = 15_000 } = options;
    const makeGuard = (name: string): Guard =>
      guard({
        name,
        timeout: timeoutMs,
        retry: { attempts: 3, delay: "50ms", maxDelay: "1s" },
        circuitBreaker: { failures: 5, pause: pauseMs },
        bulkhead: { maxConcurrent: concurrency, maxQueued: QUEUE_MAX },
        isFailure: (error) => !isAnswer(error),
      });
    const answers = cache.category("answers");
    const points = Math.max(1, Math.floor(requestsPerSecond / PARTS_OF_A_SECOND));
    const per = points === 1 ? Math.ceil(1_000 / requestsPerSecond) : 1_000 / PARTS_OF_A_SECOND;
    const limited = rateLimited(cache.category("requests"), { points, per }, { ttl: "300s" });
    const guarded = <T>(stage: Guard, ask: (word: string, signal: AbortSignal) => Promise<T>) => {
      const fallback = withCacheFallback(answers, stage, { keepFor: "7d" });
      const once: Ask<T> = (word, signal) => {
        const endpoint = `${stage.name}/${word}`;
        const run = ({ signal: attempt }: { readonly signal: AbortSignal }): Promise<T> =>
          limited(endpoint, USER, (context) => ask(word, context.signal), { signal: attempt });
        return fallback(endpoint, run, { signal });
      };
      const patient: Ask<T> = (word, signal) =>
        patiently(() => once(word, signal), patienceMs, signal);
      return patient;
    };
    const [first, second] = [makeGuard("stage1"), makeGuard("stage2")];
    this.analysis = guarded(first, (word, signal) => dictionary.analysis(word, signal));
    this.illustration = guarded(second, (word, signal) => dictionary.illustration(word, signal));
    this.concurrency = concurrency;
    this.#guards = [first, second];
    this.#refreshing = refreshing;
  }

  /**
   * Asks the server what it allows, from then on a minute before each end of five minutes.
   *
   * @throws `IO` when it cannot be reached and has never been.
   */
  static async open(cache: Cache, options: CallsOptions): Promise<Calls> {
    const dictionary = new Dictionary(options.url);
    const category = cache.category<DictionaryConfig>("config");
    const load = ({ signal }: { readonly signal: AbortSignal }): Promise<DictionaryConfig> =>
      dictionary.config(signal);
    const life = { ttl: "300s", refreshBefore: "60s" } as const;
    const refreshing = category.refreshAhead(CONFIG_KEY, load, life);
    try {
      const config = await category.getOrSet(CONFIG_KEY, load);
      return new Calls(dictionary, cache, config, refreshing, options);
    } catch (error) {
      refreshing[Symbol.dispose]();
      if (!(error instanceof DictionaryFailure)) throw error;
      throw new SpringhouseError(
        "IO",
        `${error.message}. Start the server with "serve", or give another --server.`,
        { cause: error, fields: { url: options.url } },
      );
    }
  }

  /** What the guard of each stage has counted. */
  statistics(): Readonly<Record<string, GuardStatistics>> {
    return Object.fromEntries(this.#guards.map((each) => [each.name, each.statistics()]));
  }

  [Symbol.dispose](): void {
    this.#refreshing[Symbol.dispose]();
  }
}

/** What says nothing about the health of the server: it has answered, or was not asked. */
function isAnswer(error: unknown): boolean {
  return error instanceof UnknownWord || isSpringhouseError(error, "RATE_LIMITED");
}

/** Asks again whenever it is said for how long to wait, within so many milliseconds in all. */
async function patiently<T>(
  ask: () => Promise<T>,
  patienceMs: number,
  signal: AbortSignal,
): Promise<T> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const waitMs = waitMsOf(error);
      if (waitMs === undefined || performance.now() + waitMs > untilMs) throw error;
      await setTimeout(waitMs, undefined, { signal });
    }
  }
}

/** At least one millisecond, so that a wait of none is no busy loop. */
function waitMsOf(error: unknown): number | undefined {
  const isWait =
    isSpringhouseError(error, "RATE_LIMITED") || isSpringhouseError(error, "CIRCUIT_OPEN");
  return isWait ? Math.max(1, Number(error.fields["retryAfterMs"] ?? 1)) : undefined;
}
