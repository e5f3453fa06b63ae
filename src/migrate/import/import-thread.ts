/**
 * The thread of an import: it hashes and copies the files, writes the rows, compares and lands, so
 * that the event loop of the main thread stays free.
 */

import { type MessagePort, workerData } from "node:worker_threads";
import { toWireError } from "../../sqlite/errors.ts";
import type { Envelope } from "../../sqlite/protocol.ts";
import type { LoadRequest } from "./plan.ts";
import { ImportSession } from "./session.ts";

const { port } = workerData as { readonly port: MessagePort };
const session = new ImportSession();
let last: Promise<void> = Promise.resolve();

port.on("message", (envelope: Envelope<LoadRequest>) => {
  last = last.then(() => answer(envelope));
});

async function answer({ id, request }: Envelope<LoadRequest>): Promise<void> {
  try {
    port.postMessage({ id, value: await session.handle(request) });
  } catch (error) {
    port.postMessage({ id, error: toWireError(error) });
  }
}
