/**
 * The types that follow from a declaration: row, insert, patch, key, and Kysely's table types. All
 * are computed once, when `entity()` is called, and read back by `RowOf` and the like.
 */

import type { ColumnType } from "kysely";
import type { AnyColumn, ColumnShape, Columns } from "./column.ts";
import type { ColumnFacts, ColumnKind, EntityFacts } from "./facts.ts";
import type { SnakeCase } from "./names.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

/** Under this symbol lies everything about an entity except its columns. */
export const definition: unique symbol = Symbol("springhouse.definition");

/** All types of one entity. */
export interface EntityTypes {
  readonly table: string;
  /** The table's own columns. */
  readonly columns: Columns;
  /** The kind of each property of a row. */
  readonly kinds: object;
  readonly row: object;
  readonly insert: object;
  /** What the check of an insert gives: a row, save for a key that the database numbers. */
  readonly valid: object;
  readonly patch: object;
  readonly key: unknown;
  /** Properties of the key. */
  readonly keyProperty: string;
  /** The table in Kysely's words. */
  readonly sql: object;
}

/** What lies under `definition`. */
export interface Definition<Types extends EntityTypes = EntityTypes> {
  readonly facts: EntityFacts;
  /** Only a type; there is nothing at run time. */
  readonly types: Types;
}

/** Any entity; it is a Standard Schema that checks an insert. */
export interface Entity<Types extends EntityTypes = EntityTypes>
  extends StandardSchemaV1<Types["insert"], Types["valid"]> {
  readonly [definition]: Definition<Types>;
}

/** An entity with its columns as properties. */
export type DeclaredEntity<Types extends EntityTypes> = Entity<Types> & {
  readonly [Property in keyof Types["columns"]]: HandleOf<Types["columns"][Property]>;
};

/** One column of an entity, as a value: what `Task.weekId` is. */
export interface ColumnHandle<Kind extends ColumnKind = ColumnKind, Value = unknown> {
  readonly table: string;
  readonly property: string;
  readonly kind: Kind;
  readonly facts: ColumnFacts;
  /** Only a type; there is nothing at run time. */
  readonly types?: { readonly value: Value };
}

/** A row as it is read. */
export type RowOf<E extends Entity> = TypesOf<E>["row"];
/** What an insert takes: properties with a default, and those that may be NULL, can be left out. */
export type InsertOf<E extends Entity> = TypesOf<E>["insert"];
/** What a patch takes: absent (or undefined) means untouched, null means NULL. */
export type PatchOf<E extends Entity> = TypesOf<E>["patch"];
/** The key: its value when it is one column, an object by property when there are several. */
export type KeyOf<E extends Entity> = TypesOf<E>["key"];
/** The names of all properties. */
export type PropertyOf<E extends Entity> = keyof RowOf<E> & string;
/** The kind of column that a property is in. */
export type KindOf<E extends Entity, Property> = Property extends keyof TypesOf<E>["kinds"]
  ? TypesOf<E>["kinds"][Property]
  : never;
/** Kysely's `Database` for these entities, by SQL names. */
export type TablesOf<Entities extends readonly Entity[]> = {
  readonly [E in Entities[number] as TypesOf<E>["table"]]: TypesOf<E>["sql"];
};

type TypesOf<E extends Entity> = E[typeof definition]["types"];

/** No base. */
export type NoBase = undefined;

/** Computes the types of an entity: its name, columns, `primaryKey` option, base and `base.set`. */
export type TypesFor<
  Table extends string,
  Own extends Columns,
  Named extends string,
  Base,
  Set,
> = Base extends Entity
  ? DetailTypes<Table, DetailColumns<Own, Base>, Base, Set>
  : PlainTypes<Table, Own, [Named] extends [never] ? FlaggedKey<Own> : Named & keyof Own & string>;

/** The types of an entity without a base. */
export interface PlainTypes<Table extends string, C extends Columns, Key extends keyof C & string>
  extends EntityTypes {
  readonly table: Table;
  readonly columns: C;
  readonly kinds: Kinds<C>;
  readonly row: Row<C>;
  readonly insert: Insert<C, Numbered<C, Key>>;
  readonly valid: Valid<C, Numbered<C, Key>>;
  readonly patch: Patch<C, Key>;
  readonly key: KeyValue<Row<C>, Key>;
  readonly keyProperty: Key;
  readonly sql: Sql<C, Numbered<C, Key>>;
}

/** The types of a detail of a base. */
export interface DetailTypes<Table extends string, C extends Columns, Base extends Entity, Set>
  extends EntityTypes {
  readonly table: Table;
  readonly columns: C;
  readonly kinds: Flat<TypesOf<Base>["kinds"] & Kinds<OwnOf<C, Base>>>;
  readonly row: Flat<Readonly<Omit<RowOf<Base>, keyof Set> & Set> & Row<OwnOf<C, Base>>>;
  readonly insert: Flat<Omit<InsertOf<Base>, keyof Set> & Insert<OwnOf<C, Base>, never>>;
  readonly valid: Flat<
    Readonly<Omit<TypesOf<Base>["valid"], keyof Set> & Set> & Valid<OwnOf<C, Base>, never>
  >;
  readonly patch: Flat<Omit<PatchOf<Base>, keyof Set> & Patch<OwnOf<C, Base>, never>>;
  readonly key: KeyOf<Base>;
  readonly keyProperty: TypesOf<Base>["keyProperty"];
  readonly sql: Sql<C, never>;
}

/** The columns of a detail: the key of the base, unless it is declared again, and its own. */
type DetailColumns<Own extends Columns, Base extends Entity> = Flat<
  {
    readonly [P in Exclude<TypesOf<Base>["keyProperty"], keyof Own>]: InheritedKey<
      TypesOf<Base>["columns"][P]
    >;
  } & Own
>;

/** The key of a base in the detail: never numbered and without a default. */
export interface InheritedKey<C extends AnyColumn> extends AnyColumn {
  readonly types: {
    readonly kind: C["types"]["kind"];
    readonly value: C["types"]["value"];
    readonly flags: "key" | "references";
    readonly name: C["types"]["name"];
  };
}

type OwnOf<C extends Columns, Base extends Entity> = Omit<C, TypesOf<Base>["keyProperty"]>;

type Flat<T> = { [P in keyof T]: T[P] };

type Shape<C extends AnyColumn> = C["types"];
type FlagOf<C extends AnyColumn> = Shape<C>["flags"];
type Has<C extends AnyColumn, Flag> = Flag extends FlagOf<C> ? true : false;

type ValueOf<C extends AnyColumn> =
  | Shape<C>["value"]
  | (Has<C, "nullable"> extends true ? null : never);

/** What `Task.weekId` is for this column. */
type HandleOf<C extends AnyColumn> = ColumnHandle<Shape<C>["kind"], ValueOf<C>>;

type FlaggedKey<C extends Columns> = {
  [P in keyof C & string]: Has<C[P], "key"> extends true ? P : never;
}[keyof C & string];

/** The property that the database numbers: a single int key without default and reference. */
type Numbered<C extends Columns, Key extends keyof C & string> =
  IsUnion<Key> extends true
    ? never
    : Shape<C[Key]> extends { readonly kind: "int" }
      ? Extract<FlagOf<C[Key]>, "default" | "references"> extends never
        ? Key
        : never
      : never;

type IsUnion<T, Whole = T> = [T] extends [never]
  ? false
  : T extends T
    ? [Whole] extends [T]
      ? false
      : true
    : never;

type OptionalProperty<C extends Columns, Generated> = {
  [P in keyof C]: Extract<FlagOf<C[P]>, "nullable" | "default"> extends never
    ? P extends Generated
      ? P
      : never
    : P;
}[keyof C];

type Kinds<C extends Columns> = { readonly [P in keyof C]: Shape<C[P]>["kind"] };

type Row<C extends Columns> = { readonly [P in keyof C]: ValueOf<C[P]> };

type Insert<C extends Columns, Generated> = Flat<
  { readonly [P in Exclude<keyof C, OptionalProperty<C, Generated>>]: ValueOf<C[P]> } & {
    readonly [P in OptionalProperty<C, Generated>]?: ValueOf<C[P]> | undefined;
  }
>;

type Valid<C extends Columns, Generated> = Flat<
  { readonly [P in Exclude<keyof C, Generated>]: ValueOf<C[P]> } & {
    readonly [P in keyof C & Generated]?: ValueOf<C[P]>;
  }
>;

type Patch<C extends Columns, Key> = {
  readonly [P in Exclude<keyof C, Key>]?: ValueOf<C[P]> | undefined;
};

/** The key: the value of its one property, or an object of several. */
export type KeyValue<R, Key extends keyof R> = IsUnion<Key> extends true ? Pick<R, Key> : R[Key];

/** The SQL name of a column. */
type NameOf<Property, S extends ColumnShape> = S["name"] extends string
  ? S["name"]
  : SnakeCase<Property & string>;

/** The properties that only repositories give a value. */
type RandomProperty<C extends Columns> = {
  [P in keyof C]: Has<C[P], "random"> extends true
    ? Has<C[P], "nullable"> extends true
      ? never
      : P
    : never;
}[keyof C];

/** Optional where the database has a default; a random UUID is made by repositories alone. */
type Sql<C extends Columns, Generated> = {
  readonly [P in keyof C as NameOf<P, Shape<C[P]>>]: P extends Exclude<
    OptionalProperty<C, Generated>,
    RandomProperty<C>
  >
    ? ColumnType<ValueOf<C[P]>, ValueOf<C[P]> | undefined, ValueOf<C[P]>>
    : ColumnType<ValueOf<C[P]>, ValueOf<C[P]>, ValueOf<C[P]>>;
};
