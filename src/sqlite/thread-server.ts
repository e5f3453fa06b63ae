/** The thread's side of the protocol: one request at a time, one reply to each. */

import type { MessagePort } from "node:worker_threads";
import { toWireError } from "./errors.ts";
import type { Envelope, Reply } from "./protocol.ts";

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
 * @param open makes the handler; it is given a way to send what nobody asked for.
 */
export function serve<Request extends { readonly kind: string }>(
  port: MessagePort,
  open: (notify: (value: unknown) => void) => Handler<Request>,
): void {
  let handler: Handler<Request> | undefined;
  const post = (reply: Reply): void => port.postMessage(reply);
  port.on("message", ({ id, request }: Envelope<Request>) => {
    try {
      if (handler !== undefined || request.kind !== "close") {
        handler ??= open((value) => post({ id: 0, value }));
        post({ id, value: handler.handle(request) });
      } else {
        post({ id });
      }
    } catch (error) {
      post({ id, error: toWireError(error) });
    }
    handler?.afterReply?.();
  });
}
