/** The thread's side of the protocol: one request at a time, one reply to each. */

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { BURST_GAP_MS, canStayAwake, LOOK_OUT_MS } from "./burst.ts";
import { toWireError } from "./errors.ts";
import type { Envelope, Reply } from "./protocol.ts";

/** Requests answered before timers have their turn. */
const BURST_REQUESTS_MAX = 1_000;

/** Makes what serves a thread; `notify` sends what nobody asked for. */
type Open<Request> = (notify: (value: unknown) => void, first: Request) => Handler<Request>;

/** What serves the requests of one thread. */
export interface Handler<Request> {
  handle(request: Request): unknown;
  /** Called when the reply is on its way: the place for work that nobody should wait for. */
  afterReply?(): void;
}

/**
 * Serves until the other side closes the port. The handler is made by the first request, so that a
 * file that cannot be opened is a reply and not a dead thread, and the next request tries again.
 *
 * @param open makes the handler for the request that is the first one it has to serve.
 * @param handlesBursts whether to await the next request of a burst awake. For a thread that is
 * the only one of its kind: several that turn would take the cores from each other.
 */
export function serve<Request extends { readonly kind: string }>(
  port: MessagePort,
  open: Open<Request>,
  handlesBursts = false,
): void {
  let handler: Handler<Request> | undefined;
  const post = (reply: Reply): void => port.postMessage(reply);
  const answer = ({ id, request }: Envelope<Request>): void => {
    try {
      if (handler !== undefined || request.kind !== "close") {
        handler ??= open((value) => post({ id: 0, value }), request);
        post({ id, value: handler.handle(request) });
      } else {
        post({ id });
      }
    } catch (error) {
      post({ id, error: toWireError(error) });
    }
    handler?.afterReply?.();
  };
  const patient = handlesBursts && canStayAwake;
  let repliedMs = Number.NEGATIVE_INFINITY;
  port.on("message", (envelope: Envelope<Request>) => {
    const inBurst = patient && performance.now() - repliedMs < BURST_GAP_MS;
    answer(envelope);
    if (inBurst) answerBurst(port, answer);
    repliedMs = performance.now();
  });
}

/** Answers what comes in close order, without going to sleep in between. */
function answerBurst<Request>(
  port: MessagePort,
  answer: (envelope: Envelope<Request>) => void,
): void {
  for (let count = 0; count < BURST_REQUESTS_MAX; count++) {
    const next = awaitMessage(port);
    if (next === undefined) return;
    answer(next.message as Envelope<Request>);
  }
}

function awaitMessage(port: MessagePort): { message: unknown } | undefined {
  const untilMs = performance.now() + LOOK_OUT_MS;
  let next: { message: unknown } | undefined;
  do next = receiveMessageOnPort(port);
  while (next === undefined && performance.now() < untilMs);
  return next;
}
