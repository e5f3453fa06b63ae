/** A reader: runs reads on a read-only connection of its own. Started by `reader.ts`. */

import { workerData } from "node:worker_threads";
import { unreachable } from "../core/assert.ts";
import { Connection } from "./connection.ts";
import { CursorTable } from "./cursor-table.ts";
import { readerPragmas } from "./pragmas.ts";
import type { CommonRequest, ThreadData } from "./protocol.ts";
import { type Handler, serve } from "./thread-server.ts";

class Reader implements Handler<CommonRequest> {
  readonly #cursors = new CursorTable();
  readonly #connection: Connection;

  constructor({ path, busyTimeoutMs }: ThreadData) {
    this.#connection = new Connection({
      path,
      readOnly: true,
      pragmas: readerPragmas(busyTimeoutMs),
    });
  }

  handle(request: CommonRequest): unknown {
    switch (request.kind) {
      case "open":
        return undefined;
      case "query":
        return this.#cursors.query(this.#connection, request.statement, request.chunkRows);
      case "fetch":
        return this.#cursors.fetch(request.cursor, request.chunkRows);
      case "dismiss":
        return this.#cursors.dismiss(request.cursor);
      case "close":
        this.#cursors.clear();
        return this.#connection.close();
      default:
        return unreachable(request);
    }
  }
}

const data = workerData as ThreadData;
serve(data.port, () => new Reader(data));
