/** The thread's side of the protocol: one request at a time, one reply to each. */

import type { MessagePort } from "node:worker_threads";
import { toWireError } from "./errors.ts";
import type { Envelope, Reply } from "./protocol.ts";

/** What serves the requests of one thread. */
export interface Handler<Request> {
  handle(request: Request): unknown;
}

/**
 * Serves until the request `close`. The handler is made by the first request, so that a file that
 * cannot be opened is a reply and not a dead thread.
 */
export function serve<Request extends { readonly kind: string }>(
  port: MessagePort,
  open: () => Handler<Request>,
): void {
  let handler: Handler<Request> | undefined;
  port.on("message", ({ id, request }: Envelope<Request>) => {
    let reply: Reply;
    try {
      handler ??= open();
      reply = { id, value: handler.handle(request) };
    } catch (error) {
      reply = { id, error: toWireError(error) };
    }
    port.postMessage(reply);
    if (request.kind === "close") port.close();
  });
}
