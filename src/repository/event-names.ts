/**
 * What entities are called in events: the singular of the table in camelCase, so that a row of
 * `task_events` raises `taskEventCreated`. The type and the function are the same function twice;
 * a test compares them. Where the rule is wrong, a name can be given.
 */

/** The singular of an English plural, by its ending. */
export type Singular<Name extends string> = Name extends `${string}series` | `${string}species`
  ? Name
  : Name extends `${infer Stem}movies`
    ? `${Stem}movie`
    : Name extends `${infer Stem}ies`
      ? `${Stem}y`
      : Name extends `${infer Stem}sses`
        ? `${Stem}ss`
        : Name extends `${infer Stem}xes`
          ? `${Stem}x`
          : Name extends `${infer Stem}ches`
            ? `${Stem}ch`
            : Name extends `${infer Stem}shes`
              ? `${Stem}sh`
              : Name extends `${string}ss` | `${string}us` | `${string}is`
                ? Name
                : Name extends `${infer Stem}s`
                  ? Stem
                  : Name;

/** `task_events` is `taskEvents`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The name of an entity in events. */
export type EventName<Table extends string> = CamelCase<Singular<Table>>;

/** The name of a table's entity in events. */
export function eventNameOf(table: string): string {
  return camelCase(singular(table));
}

function singular(name: string): string {
  if (/(?:series|species)$/.test(name)) return name;
  if (/movies$/.test(name)) return name.slice(0, -"s".length);
  if (/ies$/.test(name)) return name.replace(/ies$/, "y");
  if (/(?:ss|x|ch|sh)es$/.test(name)) return name.slice(0, -"es".length);
  return /(?:ss|us|is)$/.test(name) ? name : name.replace(/s$/, "");
}

function camelCase(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase());
}
