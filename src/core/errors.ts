/**
 * The one error class of the library.
 *
 * Every failure that a caller can act on carries a `code` from a closed union, so that it can be
 * handled without reading the message; the message says what happened and what to do about it.
 * `docs/errors.md` has one heading for each code; a test keeps the two equal.
 */

/** All codes, in the order of the layers that raise them. */
export const ERROR_CODES = [
  // core
  "ABORTED",
  "ASSERTION",
  "INVALID_ARGUMENT",
  "MISSING_DEPENDENCY",
  "TIMEOUT",
  // schema
  "INVALID_SCHEMA",
  "VALIDATION",
  // sqlite and store
  "BUSY",
  "CLOSED",
  "CONSTRAINT",
  "CORRUPT",
  "DISK_FULL",
  "INVALID_URL",
  "IO",
  "NOT_A_DATABASE",
  "POOL_TIMEOUT",
  "READ_ONLY",
  "SQL",
  "SQLITE_TOO_OLD",
  "STATEMENT_REFUSED",
  "TRANSACTION_ENDED",
  "TRANSACTION_REENTRY",
  "TRANSACTION_TIMEOUT",
  "UNOPENABLE",
  "WORKER_DIED",
  // resilience and cache
  "BULKHEAD_FULL",
  "CIRCUIT_OPEN",
  "HTTP_STATUS",
  "RATE_LIMITED",
  // coherence
  "CACHED_WRITE",
  "CONFLICT",
  // repository
  "NOT_FOUND",
  "PERMISSION_DENIED",
  "UNIT_OF_WORK_DROPPED",
  "UNKNOWN_FIELD",
  // backup
  "BACKUP_DAMAGED",
  "BACKUP_EXISTS",
  "BACKUP_KEY",
  "BACKUP_NOT_FOUND",
  "BACKUP_TOOL_FAILED",
  "DATABASE_IN_USE",
  "RESTORE_POINT_UNKNOWN",
  "SEGMENT_DAMAGED",
  "SEGMENT_MISSING",
  // migrate
  "MIGRATION_CHANGED",
  "MIGRATION_FAILED",
  "MIGRATION_INVALID",
  "MIGRATION_IRREVERSIBLE",
  "MIGRATION_LOCKED",
  "MIGRATION_OUT_OF_ORDER",
  "SCHEMA_DRIFT",
  "SCHEMA_MISMATCH",
  "SCHEMA_NEWER",
  // advisor
  "N_PLUS_ONE",
  // config and command line
  "CONFIG",
  "USAGE",
] as const;

/** What went wrong, as a value to switch on. See `docs/errors.md`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts about a failure, ready for a log line or a form. All are optional. */
export interface ErrorDetails {
  /** The lower error that led to this one. */
  readonly cause?: unknown;
  /** Further facts by name: the table, the field, the line, the limit. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** For `VALIDATION`: every issue found, in the order of the fields. */
  readonly issues?: readonly Issue[];
}

/** One thing that is wrong with an input. */
export interface Issue {
  /** Where: property names and array positions, outermost first. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what would be right. */
  readonly message: string;
}

/**
 * Thrown by every part of the library.
 *
 * @example
 * try { await tasks.create(input); }
 * catch (error) {
 *   if (isSpringhouseError(error, "VALIDATION")) return form.show(error.issues);
 *   throw error;
 * }
 */
export class SpringhouseError extends Error {
  override readonly name = "SpringhouseError";
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.fields = details.fields ?? {};
    this.issues = details.issues ?? [];
  }

  /** Plain data for logs and for messages between threads; the cause is left out. */
  toJSON(): { code: ErrorCode; message: string; fields: object; issues: readonly Issue[] } {
    return { code: this.code, message: this.message, fields: this.fields, issues: this.issues };
  }
}

/** Whether `error` is ours and, when a code is given, of that code. */
export function isSpringhouseError(error: unknown, code?: ErrorCode): error is SpringhouseError {
  return error instanceof SpringhouseError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
