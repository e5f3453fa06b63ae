/**
 * A guard around HTTP. `fetch` throws when there is no answer at all; that a server is ill it tells
 * by the status, which nobody counts unless it is made an error. What a request means decides
 * whether it may be made twice.
 */

import { assertFunction, assertMethods } from "../core/arguments.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { type Guard, guard } from "./guard.ts";
import type { ErrorKind, GuardOptions } from "./options.ts";

/** Options of a guard; what an error means is known. */
export type HttpGuardOptions = Omit<GuardOptions, "isFailure" | "classify">;

/** `fetch`, or what stands in its place. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Statuses that say that the server, or something before it, is not well. */
const FAILING = [408, 425, 500, 502, 503, 504];
const TOO_MANY = 429;
const UNAVAILABLE = 503;
/** Methods that mean the same when they come twice (RFC 9110, section 9.2.2). */
const REPEATABLE = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"];
const KEYS = ["name", "timeout", "retry", "circuitBreaker", "bulkhead"];

/**
 * What an error of a call over HTTP means. A server that says when to come again is busy; other
 * statuses of failure, and everything else that `fetch` throws, are failures.
 */
export function classifyHttpError(error: unknown): ErrorKind {
  if (isSpringhouseError(error, "HTTP_STATUS")) {
    const { status, retryAfterMs } = error.fields;
    if (status === TOO_MANY) return "busy";
    return status === UNAVAILABLE && retryAfterMs !== undefined ? "busy" : "failure";
  }
  return isSpringhouseError(error) ? "answer" : "failure";
}

/**
 * A guard for calls over HTTP: each attempt may take 10 s, and there are `retry`, `circuitBreaker`
 * and `bulkhead`, unless they are given.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work.
 * @example
 * const api = httpGuard({ name: "api", timeout: "2s" });
 * const user = await api.execute(async ({ signal }) => {
 *   return (await checkedFetch("https://api.test/user", { signal })).json();
 * });
 */
export function httpGuard(options: HttpGuardOptions = {}): Guard {
  refuseUnknownKeys(options, KEYS, "httpGuard");
  const parts = { timeout: "10s", retry: {}, circuitBreaker: {}, bulkhead: {} };
  return guard({ name: "http", ...parts, ...options, classify: classifyHttpError });
}

/**
 * `fetch` that throws for a status that says that the server is not well: 408, 425, 429, 500, 502,
 * 503, 504. Any other, 404 for one, is an answer.
 *
 * @throws `HTTP_STATUS` with `fields.status`, and `fields.retryAfterMs` when the server says so.
 */
export async function checkedFetch(
  input: string | URL | Request,
  init: RequestInit = {},
  fetcher: Fetch = fetch,
): Promise<Response> {
  const response = await fetcher(input, init);
  const { status } = response;
  if (status !== TOO_MANY && !FAILING.includes(status)) return response;
  // Its connection serves the next request only when nothing is left to be read.
  await response.body?.cancel();
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), Date.now());
  const wait =
    retryAfterMs === undefined ? "" : ` It wants to be left alone for ${retryAfterMs} ms.`;
  const place = placeOf(input);
  throw new SpringhouseError("HTTP_STATUS", `${place} answered with status ${status}.${wait}`, {
    fields: { status, place, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

/**
 * `fetch` behind a guard. A request whose method may come twice (GET, HEAD, OPTIONS, PUT, DELETE)
 * is repeated after a failure; any other only when the server was busy and has not begun.
 *
 * @param fetcher stands in the place of `fetch`.
 * @example
 * const get = guardedFetch(httpGuard({ name: "weather" }));
 * const response = await get("https://weather.test/seoul");
 */
export function guardedFetch(guarded: Guard, fetcher: Fetch = fetch): Fetch {
  assertMethods("guardedFetch: guard", "a guard", guarded, ["execute"]);
  assertFunction("guardedFetch: fetcher", fetcher);
  return async (input, init) => {
    const request = new Request(input, init);
    const isRepeatable = REPEATABLE.includes(request.method);
    return await guarded.execute(
      // A body can be read once, so each attempt has a copy.
      ({ signal }) => checkedFetch(request.clone(), { signal }, fetcher),
      { signal: request.signal, isRepeatable },
    );
  };
}

/** A number of seconds, or a date (RFC 9110, section 10.2.3); what is neither counts as nothing. */
function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Without the query and the credentials, which may be secret. */
function placeOf(input: string | URL | Request): string {
  const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
  return `${origin}${pathname}`;
}
