/**
 * How names are formed: SQL names from property names, and names of constraints and indexes from
 * what they are on. The type `SnakeCase` and the function `snakeCase` are the same function twice;
 * a test compares them.
 */

import { hashText } from "../core/hash.ts";

/** PostgreSQL cuts longer names silently, so that two of them could become one. In bytes. */
export const NAME_BYTES_MAX = 63;

const PROPERTY = /^[A-Za-z][A-Za-z0-9_]*$/;
const RESERVED_PREFIX = /^(?:sqlite_|springhouse_)/i;
/** Our ledger of migrations, and that of older systems, which is read as a baseline. */
const LEDGER = /^(?:schema_migrations|schema_version)$/i;

/** Whether columns may be declared under this property name. */
export function isPropertyName(name: string): boolean {
  return PROPERTY.test(name);
}

/** Why `name` cannot be a name in SQL, or undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (typeof name !== "string" || name === "") return "a name must be a text that is not empty";
  if (name.includes("\0") || !name.isWellFormed()) return "a name must be well-formed text";
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return undefined;
  return `names of more than ${NAME_BYTES_MAX} bytes are cut by PostgreSQL; give a shorter one`;
}

/** Why `name` cannot be the name of a table, or undefined when it can. */
export function tableNameProblem(name: string): string | undefined {
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (RESERVED_PREFIX.test(name)) {
    return 'names that begin with "sqlite_" or "springhouse_" are reserved; take another';
  }
  if (LEDGER.test(name)) return "migrations are recorded under this name; take another";
  return name.includes(".") ? 'a table name must not contain "."' : undefined;
}

/** `weekId` is `week_id`, `htmlURLText` is `html_url_text`, `line2` stays `line2`. */
export function snakeCase(property: string): string {
  let result = "";
  for (let index = 0; index < property.length; index++) {
    const character = property.charAt(index);
    const previous = property.charAt(index - 1);
    if (isBoundary(previous, character, property.charAt(index + 1))) result += "_";
    result += character.toLowerCase();
  }
  return result;
}

function isBoundary(previous: string, character: string, next: string): boolean {
  if (!isUpper(character) || previous === "" || previous === "_") return false;
  return !isUpper(previous) || isLower(next);
}

function isUpper(character: string): boolean {
  return character !== character.toLowerCase();
}

function isLower(character: string): boolean {
  return character !== character.toUpperCase();
}

/** `snakeCase` on types. */
export type SnakeCase<Text extends string> = Snake<Text, "", "">;

type Snake<
  Text extends string,
  Previous extends string,
  Result extends string,
> = Text extends `${infer Character}${infer Rest}`
  ? Snake<
      Rest,
      Character,
      `${Result}${Separator<Previous, Character, Rest>}${Lowercase<Character>}`
    >
  : Result;

type Separator<Previous extends string, Character extends string, Rest extends string> =
  IsBoundary<Previous, Character, Rest> extends true ? "_" : "";

type IsBoundary<Previous extends string, Character extends string, Rest extends string> =
  Character extends Lowercase<Character>
    ? false
    : Previous extends "" | "_"
      ? false
      : Previous extends Lowercase<Previous>
        ? true
        : Rest extends `${infer Next}${string}`
          ? Next extends Uppercase<Next>
            ? false
            : true
          : false;

/** A name such as `idx_tasks_week_id`; a long one is cut and made unique by a hash of the whole. */
export function derivedName(prefix: string, table: string, columns: readonly string[]): string {
  const whole = [prefix, table, ...columns].join("_");
  if (Buffer.byteLength(whole) <= NAME_BYTES_MAX) return whole;
  const hash = hashText(whole).slice(0, HASH_LENGTH);
  let head = whole;
  while (Buffer.byteLength(head) > NAME_BYTES_MAX - HASH_LENGTH - 1) head = head.slice(0, -1);
  return `${head.toWellFormed()}_${hash}`;
}

/** Eight hexadecimal digits: a clash needs about 65,000 long names of one beginning. */
const HASH_LENGTH = 8;
