/**
 * Nothing that is printed may give a secret away: passwords in URLs, and values whose name says
 * that they are secret.
 */

/** Stands for what is not shown. */
const HIDDEN = "***";

/** From "//" to the last "@", as a password may hold anything; a user alone is no secret. */
const PASSWORD_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*):[^\s"]*@/gi;
/** Parameters of a URL or of a connection string. */
const SECRET_PARAMETER =
  /([?&;]|\b)((?:ssl)?password|passwd|pwd|token|secret|api_?key|access_?key)=[^\s&;#"']+/gi;
/** Whole words of a name, in camelCase, snake_case or kebab-case. */
const SECRET_WORDS = ["password", "passwd", "pwd", "passphrase", "token", "secret", "credential"];
const SECRET_KEYS = ["api", "access", "private", "encryption"];
const SECRET_NAME = new RegExp(
  `(?:^|[_-])(?:(?:${SECRET_WORDS.join("|")})|(?:${SECRET_KEYS.join("|")})[_-]?key)$`,
);

/**
 * A URL without its password.
 *
 * @example redactUrl("postgres://app:s3cret@db/main") // "postgres://app:***@db/main"
 */
export function redactUrl(url: string): string {
  return redactText(url);
}

/** A text of any kind without the passwords of the URLs in it. */
export function redactText(text: string): string {
  return text.replace(PASSWORD_IN_URL, `$1:${HIDDEN}@`).replace(SECRET_PARAMETER, `$1$2=${HIDDEN}`);
}

/** A copy of any data in which no secret is left: for logs, for `--json`, for error reports. */
export function redact<T>(value: T): T {
  return redacted(value) as T;
}

function redacted(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      isSecretName(name) && part !== undefined && part !== null ? HIDDEN : redacted(part),
    ]),
  );
}

/** Whether what has this name must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase());
}
