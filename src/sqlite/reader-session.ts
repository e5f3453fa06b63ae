/** What a reader thread does: reads, on a read-only connection of its own. */

import { unreachable } from "../core/assert.ts";
import { Connection } from "./connection.ts";
import { CursorTable } from "./cursor-table.ts";
import { refuseLost } from "./file-watch.ts";
import { readerPragmas } from "./pragmas.ts";
import type { FileData, ReaderRequest } from "./protocol.ts";
import { rollBack } from "./savepoint.ts";
import type { Handler } from "./thread-server.ts";

/** The state of a reader thread. */
export class ReaderSession implements Handler<ReaderRequest> {
  readonly #cursors = new CursorTable();
  readonly #connection: Connection;

  constructor({ path, busyTimeoutMs, cacheSizeBytes, key }: FileData) {
    refuseLost(path, key);
    const pragmas = readerPragmas(busyTimeoutMs, cacheSizeBytes);
    this.#connection = new Connection({ path, readOnly: true, pragmas });
  }

  handle(request: ReaderRequest): unknown {
    switch (request.kind) {
      case "open":
        return undefined;
      case "query":
        return this.#cursors.query(this.#connection, request.statement, request.chunkRows);
      case "fetch":
        return this.#cursors.fetch(request.cursor, request.chunkRows);
      case "dismiss":
        return this.#cursors.dismiss(request.cursor);
      case "snapshot":
        return this.#takeSnapshot();
      case "reset":
        return this.#reset();
      case "close":
        this.#reset();
        return this.#connection.close();
      default:
        return unreachable(request);
    }
  }

  /** BEGIN alone takes none: the first read does. */
  #takeSnapshot(): void {
    this.#connection.control("BEGIN");
    this.#connection.ask("SELECT count(*) FROM sqlite_schema");
  }

  #reset(): void {
    this.#cursors.clear();
    rollBack(this.#connection);
  }
}
