/**
 * The process in which the advisor works. It runs SQL that nobody has tried before: such a
 * statement cannot be stopped from inside of its process, but a process can be ended from outside.
 * It opens the database for reading only, and writes to copies.
 *
 * It is named as the threads are, because the build makes a file of its own for each of those.
 */

import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { type CopyRequest, copyFile, openCopy } from "./copy-file.ts";
import { type ChangeRequest, change, type MeasureRequest, measure } from "./measure.ts";
import { type StudyRequest, study } from "./study.ts";

/** Everything that the process can be asked to do. */
export type ChildRequest = StudyRequest | CopyRequest | MeasureRequest | ChangeRequest;

/** How long the database may be held by somebody else. */
const BUSY_TIMEOUT_MS = 5_000;

let copy: { readonly path: string; readonly database: DatabaseSync } | undefined;

process.on("message", (request: ChildRequest) => {
  try {
    process.send?.({ ok: true, value: answer(request) });
  } catch (error) {
    process.send?.({ ok: false, message: messageOf(error) });
  }
});
// The one who asked is gone: nobody would read the answer.
process.on("disconnect", () => process.exit());

function answer(request: ChildRequest): unknown {
  if (request.kind === "measure") return measure(copyAt(request.copy), request);
  if (request.kind === "change") return change(copyAt(request.copy), request);
  const options = { readOnly: true, timeout: BUSY_TIMEOUT_MS };
  using database = new (nodeSqlite().DatabaseSync)(request.path, options);
  if (request.kind === "study") return study(database, request);
  copyFile(database, request);
  return undefined;
}

/** The copy stays open, so that its pages stay warm. */
function copyAt(path: string): DatabaseSync {
  if (copy?.path === path) return copy.database;
  copy?.database.close();
  copy = { path, database: openCopy(path) };
  return copy.database;
}
