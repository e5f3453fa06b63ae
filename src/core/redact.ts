/**
 * Nothing that is printed may give a secret away: passwords in URLs, and values whose name says
 * that they are secret.
 */

/** Stands for what is not shown. */
const HIDDEN = "***";

/** From "//" to the last "@", as a password may hold anything; a user alone is no secret. */
const PASSWORD_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*):[^\s"]*@/gi;
/** Parameters of a URL or of a connection string. */
const PARAMETER = /(?<![\w.-])([\w.-]{1,80})=[^\s&;#"']+/g;
/** Whole words at the end of a name, in camelCase, snake_case, kebab-case or with spaces. */
const SECRET_WORDS =
  "(?:ssl)?password|passwd|pwd|passphrase|token|secret|credentials?|authorization|cookie|" +
  "(?:api|access|private|encryption)[ _.-]?key";
const SECRET_NAME = new RegExp(`(?:^|[^a-z0-9])(?:${SECRET_WORDS})$`);

/** The end of a secret name as it stands in a text, for patterns that ignore the case. */
export const SECRET_ENDING: string = `(?:${SECRET_WORDS})`;

/**
 * A URL without its password.
 *
 * @example redactUrl("postgres://app:s3cret@db/main") // "postgres://app:***@db/main"
 */
export function redactUrl(url: string): string {
  return redactText(url);
}

/**
 * A text of any kind without the passwords of the URLs in it, and without the values of parameters
 * that are secret by their names; both become "***".
 */
export function redactText(text: string): string {
  return text
    .replace(PASSWORD_IN_URL, `$1:${HIDDEN}@`)
    .replace(PARAMETER, (all, name: string) => (isSecretName(name) ? `${name}=${HIDDEN}` : all));
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
    Object.entries(value).map(([name, part]) => [name, redactNamed(name, part)]),
  );
}

/** A value without its secrets; all of it is one when its name says so. */
export function redactNamed(name: string, value: unknown): unknown {
  return isSecretName(name) && value !== undefined && value !== null ? HIDDEN : redacted(value);
}

/**
 * Whether what has this name must not be shown: it ends in a word such as token, password, secret,
 * authorization or api key, in any way of writing names. The copies of an import mask by it.
 *
 * @example isSecretName("jiraApiToken") // true
 */
export function isSecretName(name: string): boolean {
  const words = name.trim().replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$3_$2");
  return SECRET_NAME.test(words.toLowerCase());
}
