/**
 * Columns as they are declared: `t.text({ maxLength: 100 }).unique()`. A column is immutable, each
 * method returns a new one, so a column can be kept and used in several entities. Columns do not
 * judge themselves: `entity()` does, because only there their names are known for the message.
 *
 * The type carries what the row, insert and patch types need: the kind, the JavaScript type, a set
 * of flags and the SQL name when it was given.
 */

import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { ColumnFacts, ColumnKind, DefaultFact, ReferentialAction } from "./facts.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

/** What the types know about a column beside its kind and value. */
export type ColumnFlag = "nullable" | "default" | "random" | "key" | "references";

/** What a column was declared with. */
export interface ColumnSettings extends Omit<ColumnFacts, "property" | "name" | "references"> {
  readonly name?: string;
  readonly references?: ReferenceSetting;
}

/** A reference as it was declared; its text is taken apart by `entity()`. */
export interface ReferenceSetting {
  readonly target: string;
  readonly options: ReferenceOptions;
}

/** What happens to a referring row. */
export interface ReferenceOptions {
  /** When the row it refers to is deleted. Default: "no action", the delete fails. */
  readonly onDelete?: ReferentialAction;
  /** When the row it refers to changes its key. Default: "no action", the update fails. */
  readonly onUpdate?: ReferentialAction;
}

/** Limits of a number. */
export interface NumberOptions {
  /** Least value. Default: none. */
  readonly min?: number;
  /** Greatest value. Default: none. */
  readonly max?: number;
}

/** Limits of a text. */
export interface TextOptions {
  /** Least number of characters (code points). Default: 0. */
  readonly minLength?: number;
  /** Greatest number of characters (code points). Default: none. */
  readonly maxLength?: number;
  /** What the text must match; checked in JavaScript, not by the database. Default: none. */
  readonly pattern?: RegExp;
  /** Strip white space from both ends before anything is checked. Default: false. */
  readonly trim?: boolean;
}

/** The options of kinds that have none. */
export type NoOptions = Readonly<Record<string, never>>;

/** The options of each kind; other settings are said by methods, which the types follow. */
const OPTIONS_OF_KIND: Readonly<Partial<Record<ColumnKind, readonly string[]>>> = {
  int: ["min", "max"],
  bigint: ["min", "max"],
  real: ["min", "max"],
  text: ["minLength", "maxLength", "pattern", "trim"],
  enum: ["values"],
};

/** What the types know about a column. */
export interface ColumnShape {
  readonly kind: ColumnKind;
  readonly value: unknown;
  readonly flags: ColumnFlag;
  readonly name: string | undefined;
}

/** Any column. */
export interface AnyColumn {
  /** Only a type; there is nothing at run time. */
  readonly types: ColumnShape;
  readonly settings: ColumnSettings;
}

/** Columns by property. */
export type Columns = Readonly<Record<string, AnyColumn>>;

type Numeric = "int" | "bigint" | "real";
type Moment = "timestamp" | "date";

/** Refuses, as `never`, a schema that does not take the column's values. JSON can be anything. */
type Takes<Value, Input> = unknown extends Value
  ? unknown
  : [Value] extends [Input]
    ? unknown
    : never;

/** A declared column. Made by `t`. */
export class Column<
  Kind extends ColumnKind,
  Value,
  Flags extends ColumnFlag = never,
  Name extends string | undefined = undefined,
> {
  /** Only a type; there is nothing at run time. */
  declare readonly types: {
    readonly kind: Kind;
    readonly value: Value;
    readonly flags: Flags;
    readonly name: Name;
  };
  readonly settings: ColumnSettings;

  constructor(settings: ColumnSettings) {
    this.settings = Object.freeze(settings);
  }

  /** NULL is allowed, and is what an insert gets that leaves the property out. */
  nullable(): Column<Kind, Value, Flags | "nullable", Name> {
    return this.#with({ nullable: true });
  }

  /**
   * The column is the primary key, or part of it when several columns say so. A single `int` key
   * without default and reference is numbered by the database.
   */
  primaryKey(): Column<Kind, Value, Flags | "key", Name> {
    return this.#with({ primaryKey: true });
  }

  /** The value of an insert that leaves the property out; it is in the DDL as well. */
  default(value: Value): Column<Kind, Value, Flags | "default", Name> {
    return this.#withDefault({ from: "value", value });
  }

  /** The default is the present moment, or the present day in UTC. */
  defaultNow(
    this: Column<Moment, Value, Flags, Name>,
  ): Column<Kind, Value, Flags | "default", Name>;
  defaultNow(): AnyColumn {
    return this.#withDefault({ from: "now" });
  }

  /** The default is a random UUID (version 4), made in JavaScript: plain SQL has to give one. */
  defaultRandom(
    this: Column<"uuid", Value, Flags, Name>,
  ): Column<Kind, Value, Flags | "default" | "random", Name>;
  defaultRandom(): AnyColumn {
    return this.#withDefault({ from: "random" });
  }

  /** Every update that does not give the property sets it to the present moment or day. */
  onUpdateNow(this: Column<Moment, Value, Flags, Name>): Column<Kind, Value, Flags, Name>;
  onUpdateNow(): AnyColumn {
    return this.#with({ onUpdateNow: true });
  }

  /** The least value. */
  min(this: Column<Numeric, Value, Flags, Name>, least: number): Column<Kind, Value, Flags, Name>;
  min(least: number): AnyColumn {
    return this.#with({ min: least });
  }

  /** The greatest value. */
  max(
    this: Column<Numeric, Value, Flags, Name>,
    greatest: number,
  ): Column<Kind, Value, Flags, Name>;
  max(greatest: number): AnyColumn {
    return this.#with({ max: greatest });
  }

  /** The least number of characters. */
  minLength(
    this: Column<"text", Value, Flags, Name>,
    characters: number,
  ): Column<Kind, Value, Flags, Name>;
  minLength(characters: number): AnyColumn {
    return this.#with({ minLength: characters });
  }

  /** The greatest number of characters. */
  maxLength(
    this: Column<"text", Value, Flags, Name>,
    characters: number,
  ): Column<Kind, Value, Flags, Name>;
  maxLength(characters: number): AnyColumn {
    return this.#with({ maxLength: characters });
  }

  /** What the text must match. Checked in JavaScript, not by the database. */
  pattern(
    this: Column<"text", Value, Flags, Name>,
    expression: RegExp,
  ): Column<Kind, Value, Flags, Name>;
  pattern(expression: RegExp): AnyColumn {
    return this.#with({ pattern: expression });
  }

  /** No two rows have the same value; several may have NULL. */
  unique(): Column<Kind, Value, Flags, Name> {
    return this.#with({ unique: true });
  }

  /** An index over this column alone. */
  index(): Column<Kind, Value, Flags, Name> {
    return this.#with({ index: true });
  }

  /**
   * A foreign key, by SQL names: `"weeks.id"`. A text, not a function, so that an entity can refer
   * to itself and two entities to each other.
   */
  references(
    target: `${string}.${string}`,
    options: ReferenceOptions = {},
  ): Column<Kind, Value, Flags | "references", Name> {
    return this.#with({ references: { target, options } });
  }

  /** The name in SQL. Default: the snake_case of the property. */
  column<const Sql extends string>(name: Sql): Column<Kind, Value, Flags, Sql> {
    return this.#with({ name });
  }

  /**
   * A further check by any Standard Schema (Zod, Valibot, ArkType), run after the built-in ones
   * when they pass and the value is not null; its output replaces the value.
   */
  refine<Input, Output extends Value>(
    schema: StandardSchemaV1<Input, Output> & Takes<Value, Input>,
  ): Column<Kind, Output, Flags, Name> {
    if (this.settings.refine !== undefined) {
      throw new SpringhouseError(
        "INVALID_SCHEMA",
        `A ${this.settings.kind} column has two refine(): put both checks into one schema.`,
      );
    }
    return this.#with({ refine: schema });
  }

  #withDefault<F extends ColumnFlag>(value: DefaultFact): Column<Kind, Value, F, Name> {
    return this.#with({ default: value });
  }

  #with<V, F extends ColumnFlag, N extends string | undefined>(
    change: Partial<ColumnSettings>,
  ): Column<Kind, V, F, N> {
    return new Column({ ...this.settings, ...change });
  }
}

function make<Kind extends ColumnKind, Value>(
  kind: Kind,
  options: Partial<ColumnSettings> = {},
): Column<Kind, Value> {
  refuseUnknownKeys(options, OPTIONS_OF_KIND[kind] ?? [], `t.${kind}()`, "INVALID_SCHEMA");
  return new Column({
    nullable: false,
    primaryKey: false,
    unique: false,
    index: false,
    onUpdateNow: false,
    ...options,
    kind,
  });
}

/**
 * The kinds of column.
 *
 * @example
 * const Task = entity("tasks", {
 *   id: t.int().primaryKey(),
 *   title: t.text({ maxLength: 100 }),
 *   done: t.boolean().default(false),
 * });
 */
export const t = {
  /** A whole number that JavaScript holds exactly (up to 2^53 - 1). */
  int: (options?: NumberOptions): Column<"int", number> => make("int", options),
  /** A whole number of 64 bits, as `bigint`. */
  bigint: (options?: NumberOptions): Column<"bigint", bigint> => make("bigint", options),
  /** A floating-point number of 64 bits; not NaN, not infinite. */
  real: (options?: NumberOptions): Column<"real", number> => make("real", options),
  /** A text. */
  text: (options?: TextOptions): Column<"text", string> => make("text", options),
  /** True or false. */
  boolean: (options?: NoOptions): Column<"boolean", boolean> => make("boolean", options),
  /** Anything that JSON can say. The type parameter is trusted; check it with `refine`. */
  json: <Value = unknown>(options?: NoOptions): Column<"json", Value> => make("json", options),
  /** A UUID as lower-case text. */
  uuid: (options?: NoOptions): Column<"uuid", string> => make("uuid", options),
  /** A calendar day as text, `"2025-12-31"`. */
  date: (options?: NoOptions): Column<"date", string> => make("date", options),
  /** A moment in time, as `Date` with milliseconds. */
  timestamp: (options?: NoOptions): Column<"timestamp", Date> => make("timestamp", options),
  /** Bytes, as `Uint8Array`. */
  blob: (options?: NoOptions): Column<"blob", Uint8Array> => make("blob", options),
  /** One of the given texts. */
  enum: <const Values extends readonly string[]>(values: Values): Column<"enum", Values[number]> =>
    make("enum", { values: Array.isArray(values) ? Object.freeze([...values]) : values }),
} as const;
