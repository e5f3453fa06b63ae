/** The types of a configuration, as it is written and as it is resolved; both follow the keys. */

import type { ByteSize } from "../core/bytes.ts";
import type { Duration } from "../core/duration.ts";
import type { KEYS } from "./keys.ts";

/** What a user may write for a key. */
type Written<Facts> = Facts extends { readonly type: "choice"; readonly values: infer Values }
  ? Values extends readonly (infer Value)[]
    ? Value
    : never
  : Facts extends { readonly type: infer Type }
    ? WrittenTypes[Type & keyof WrittenTypes]
    : never;

interface WrittenTypes {
  boolean: boolean;
  bytes: ByteSize;
  count: number;
  duration: Duration;
  durations: Readonly<Record<string, Duration>>;
  list: readonly string[];
  path: string;
  schedule: string;
  /** No file can hold one. */
  secret: never;
  timeZone: string;
  url: string;
}

/** What a key is resolved to. */
type Resolved<Facts> = Facts extends { readonly type: "bytes" | "duration" }
  ? number
  : Facts extends { readonly type: "durations" }
    ? Readonly<Record<string, number>>
    : Facts extends { readonly type: "secret" }
      ? string
      : Written<Facts>;

type WrittenGroup<Group> = {
  readonly [Name in keyof Group]?:
    | (Group[Name] extends { readonly type: string }
        ? Written<Group[Name]>
        : WrittenGroup<Group[Name]>)
    | undefined;
};

type ResolvedGroup<Group> = {
  readonly [Name in keyof Group]: Group[Name] extends { readonly type: string }
    ? Group[Name] extends { readonly default: unknown }
      ? Resolved<Group[Name]>
      : Resolved<Group[Name]> | undefined
    : ResolvedGroup<Group[Name]>;
};

/**
 * A configuration as it is written in `springhouse.config.ts`. Every key is optional; each one and
 * its default is explained in docs/configuration.md.
 */
export type ConfigInput = WrittenGroup<typeof KEYS>;

/**
 * A configuration with every key resolved: durations in milliseconds, sizes in bytes, paths
 * absolute.
 */
export type Config = ResolvedGroup<typeof KEYS> & {
  /** The file that it was read from, if there was one. */
  readonly file: string | undefined;
};
