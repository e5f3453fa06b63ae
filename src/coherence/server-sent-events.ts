/** Live queries for browsers: a stream of server-sent events, as `EventSource` reads it. */

import { assertSignal, onAbort } from "../core/abort.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { LiveQuery } from "./live-query.ts";

/** How to send a live query. */
export interface ServerSentEventsOptions {
  /** Ends the stream, as the browser that goes away does. */
  readonly signal?: AbortSignal;
  /** Sends differences by this property instead of whole results. Default: whole results. */
  readonly key?: string;
  /** The least time between two results. Default: none. */
  readonly minInterval?: Duration;
  /** How often a line without meaning keeps the connection open; 0 for never. Default: "15s". */
  readonly keepAlive?: Duration;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

const KEYS = ["signal", "key", "minInterval", "keepAlive", "clock"] as const;

/**
 * The results of a live query as the body of a response of type `text/event-stream`. Whole results
 * are events `full`, differences are events `diff`; their data is JSON, with big integers as text,
 * bytes as base64 and dates in ISO 8601. A failure is an event `failure` with its code, and the
 * end.
 *
 * @throws `INVALID_ARGUMENT`.
 * @example
 * const body = serverSentEvents(db.live(busiest, 7), { key: "project_name" });
 * return new Response(body, { headers: { "content-type": "text/event-stream" } });
 */
export function serverSentEvents<T>(
  query: LiveQuery<T>,
  options: ServerSentEventsOptions = {},
): ReadableStream<Uint8Array> {
  refuseUnknownKeys(options, KEYS, "serverSentEvents");
  const { signal, key, minInterval, keepAlive = "15s", clock = systemClock } = options;
  assertSignal(signal);
  const keepAliveMs = parseDurationMs(keepAlive, "keepAlive");
  const gone = new AbortController();
  const live = {
    signal: gone.signal,
    ...(minInterval === undefined ? {} : { minInterval }),
  };
  const events = key === undefined ? wholes(query, live) : query.changes({ ...live, key });
  const held = new DisposableStack();
  held.use(onAbort(signal, () => gone.abort()));
  if (signal?.aborted) gone.abort();
  return new ReadableStream<Uint8Array>({
    start(stream) {
      held.use(repeat(clock, keepAliveMs, () => stream.enqueue(encode(":\n\n"))));
    },
    // Only when the browser has taken what was sent: a slow one skips states.
    async pull(stream) {
      const event = await nextEvent(events);
      if (event.text !== undefined) stream.enqueue(encode(event.text));
      if (!event.isLast) return;
      held.dispose();
      stream.close();
    },
    cancel() {
      held.dispose();
      gone.abort();
    },
  });
}

/** An event and its data. */
interface Event {
  readonly kind: string;
}

async function* wholes<T>(
  query: LiveQuery<T>,
  options: { readonly signal: AbortSignal; readonly minInterval?: Duration },
): AsyncGenerator<Event, void, undefined> {
  for await (const value of query.values(options)) yield { kind: "full", value } as Event;
}

interface NextEvent {
  readonly text: string | undefined;
  readonly isLast: boolean;
}

async function nextEvent(events: AsyncIterator<Event>): Promise<NextEvent> {
  try {
    const { done, value } = await events.next();
    if (done === true) return { text: undefined, isLast: true };
    const { kind, ...data } = value;
    return { text: eventText(kind, data), isLast: false };
  } catch (error) {
    // Who has gone away needs no word of it.
    if (isSpringhouseError(error, "ABORTED")) return { text: undefined, isLast: true };
    const code = isSpringhouseError(error) ? error.code : "FAILED";
    return { text: eventText("failure", { code }), isLast: true };
  }
}

function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data, jsonValue)}\n\n`;
}

/** JSON has no big integers and no bytes. */
function jsonValue(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Calls `work` again and again, until it is disposed of. */
function repeat(clock: Clock, ms: number, work: () => void): Disposable {
  let timer: Disposable | undefined;
  const next = (): void => {
    timer = clock.schedule(() => {
      work();
      next();
    }, ms);
  };
  if (ms > 0) next();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
