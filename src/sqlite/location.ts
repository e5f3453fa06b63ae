/**
 * Where a database lives, read from the URL forms that people bring from other libraries.
 *
 * `sqlite:app.db` and `sqlite:///app.db` name a file relative to the working directory, four
 * slashes an absolute one, and `sqlite::memory:` a private temporary file.
 */

import { resolve } from "node:path";
import { SpringhouseError } from "../core/errors.ts";
import { redactUrl } from "../core/redact.ts";

/** A file, or a temporary database that is removed when it is closed. */
export type SqliteLocation =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "temporary" };

const FORMS =
  'Give "sqlite:app.db", "sqlite:///app.db" (relative), "sqlite:////var/lib/app.db" (absolute) ' +
  'or "sqlite::memory:".';

/**
 * The place that a URL names.
 *
 * @throws `INVALID_URL` when it is not one of the forms above.
 */
export function parseLocation(url: string): SqliteLocation {
  if (typeof url !== "string") throw invalid(String(url), "it is not a text");
  if (url === ":memory:" || url === "sqlite::memory:" || url === "sqlite://") {
    return { kind: "temporary" };
  }
  if (/^postgres(?:ql)?:/.test(url)) throw invalid(url, "PostgreSQL is for a later version");
  if (!url.startsWith("sqlite:")) throw invalid(url, "it does not begin with sqlite:");
  const rest = url.slice("sqlite:".length);
  const path = pathOf(rest, url);
  if (path === "/:memory:" || path === ":memory:") return { kind: "temporary" };
  if (path === "") throw invalid(url, "it names no file");
  if (/[?#]/.test(path)) throw invalid(url, "it has parameters; give them as options instead");
  if (path.includes("\0")) throw invalid(url, "it has a null character");
  return { kind: "file", path: resolve(path) };
}

/** Two slashes would begin a host, which a file does not have; the third belongs to no path. */
function pathOf(rest: string, url: string): string {
  if (rest.startsWith("///")) return rest.slice(3);
  if (rest.startsWith("//")) throw invalid(url, "it names a host");
  return rest;
}

function invalid(url: string, reason: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_URL",
    `${JSON.stringify(redactUrl(url))} is not the URL of a SQLite database: ${reason}. ${FORMS}`,
    { fields: { url: redactUrl(url) } },
  );
}
