/**
 * From SQLite's result codes to ours. Extended codes decide, because a message may change from
 * release to release; messages give only the names of tables and columns.
 */

import { type ErrorCode, messageOf, SpringhouseError } from "../core/errors.ts";

/** What was being done, for the message and the fields. */
export interface ErrorContext {
  readonly path?: string;
  readonly sql?: string;
}

const PRIMARY_CODE_MASK = 0xff;
/** Long statements are cut in error fields, so that a log line stays a line. */
const SQL_EXCERPT_CHARS_MAX = 500;

const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  5: "BUSY",
  6: "BUSY",
  8: "READ_ONLY",
  10: "IO",
  11: "CORRUPT",
  13: "DISK_FULL",
  14: "UNOPENABLE",
  15: "BUSY",
  19: "CONSTRAINT",
  20: "CONSTRAINT",
  25: "INVALID_ARGUMENT",
  26: "NOT_A_DATABASE",
};

const CONSTRAINT_KIND: Readonly<Record<number, string>> = {
  20: "type",
  275: "check",
  787: "foreignKey",
  1299: "notNull",
  1555: "primaryKey",
  1811: "trigger",
  2067: "unique",
  2579: "rowid",
  3091: "type",
};

const ADVICE: Partial<Readonly<Record<ErrorCode, string>>> = {
  BUSY: "Another process holds the write lock; try again, or raise busyTimeout.",
  CORRUPT: "The file is damaged and was left as it is: restore a backup, or save with .recover.",
  DISK_FULL: "Free some space and try again; nothing was written.",
  IO:
    "The disk or the file system failed, not the statement: look in the log of the system. Read " +
    "before you repeat a write.",
  NOT_A_DATABASE: "The file is something else, or encrypted; it was left as it is.",
  READ_ONLY: "Check the permissions of the file and of its folder, or open it with readOnly.",
  UNOPENABLE: "Check that the folder exists and that this user may read and write in it.",
};

/** Not another process, but an open read of this very connection. */
const LOCKED = 6;
const LOCKED_ADVICE = "A stream of the same transaction still reads the table: end it first.";

/** The `SpringhouseError` for anything that `node:sqlite` or the file system threw. */
export function toSpringhouseError(error: unknown, context: ErrorContext = {}): SpringhouseError {
  if (error instanceof SpringhouseError) return error;
  const { code: nodeCode, errcode } = error as { code?: string; errcode?: number };
  const fields: Record<string, unknown> = {};
  if (context.path !== undefined) fields["path"] = context.path;
  if (context.sql !== undefined) fields["sql"] = context.sql.slice(0, SQL_EXCERPT_CHARS_MAX);
  if (errcode !== undefined) fields["sqliteCode"] = errcode;
  const code = codeOf(nodeCode, errcode);
  const message = messageOf(error);
  if (code === "CONSTRAINT") Object.assign(fields, constraintFields(errcode ?? 0, message));
  const advice = errcode === LOCKED ? LOCKED_ADVICE : ADVICE[code];
  const place = context.path === undefined ? "" : ` (${context.path})`;
  return new SpringhouseError(
    code,
    advice === undefined ? message : `${message}${place}. ${advice}`,
    { cause: error, fields },
  );
}

function codeOf(nodeCode: string | undefined, errcode: number | undefined): ErrorCode {
  if (errcode !== undefined) return CODE_OF[errcode & PRIMARY_CODE_MASK] ?? "SQL";
  if (nodeCode === "ENOSPC" || nodeCode === "EDQUOT") return "DISK_FULL";
  if (nodeCode === "EROFS") return "READ_ONLY";
  if (nodeCode === "EIO") return "IO";
  if (nodeCode?.startsWith("ERR_INVALID_ARG") === true) return "INVALID_ARGUMENT";
  return nodeCode?.startsWith("E") === true && !nodeCode.startsWith("ERR_") ? "UNOPENABLE" : "SQL";
}

/** The table and the columns, where SQLite's message tells them. */
function constraintFields(errcode: number, message: string): Record<string, unknown> {
  const kind = CONSTRAINT_KIND[errcode] ?? "other";
  const names = /constraint failed: (.+)$/.exec(message)?.[1];
  if (kind === "type") {
    const [, table, column] = /column ([^.]+)\.(.+)$/.exec(message) ?? [];
    return table === undefined ? { kind } : { kind, table, columns: [column] };
  }
  if (names === undefined) return { kind };
  if (kind === "check") return { kind, constraint: names };
  const pairs = names.split(", ").map((name) => name.split("."));
  if (pairs.some((pair) => pair.length !== 2)) return { kind, constraint: names };
  return { kind, table: pairs[0]?.[0], columns: pairs.map((pair) => pair[1]) };
}

/** An error as it travels between threads: structured clone would lose its class and fields. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Makes an error ready for `postMessage`. */
export function toWireError(error: unknown): WireError {
  const { code, message, fields } = toSpringhouseError(error);
  return { code, message, fields };
}

/** Makes the error again on the other side. */
export function fromWireError(error: WireError): SpringhouseError {
  return new SpringhouseError(error.code, error.message, { fields: error.fields });
}
