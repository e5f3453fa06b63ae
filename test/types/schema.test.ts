import type { ColumnType, Generated, Kysely } from "kysely";
import * as valibot from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as zod from "zod";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { type SnakeCase, snakeCase } from "../../src/schema/names.ts";
import type { StandardSchemaV1 } from "../../src/schema/standard-schema.ts";
import type {
  ColumnHandle,
  Entity,
  InsertOf,
  KeyOf,
  PatchOf,
  PropertyOf,
  RowOf,
  TablesOf,
} from "../../src/schema/types.ts";

const Week = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text({ maxLength: 100 }).unique().column("week_label"),
});
const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
    parentId: t.int().nullable().references("tasks.id"),
    kind: t.enum(["audit", "review"]).default("audit"),
    done: t.boolean().default(false),
    total: t.bigint().default(0n),
    details: t.json<{ readonly tags: readonly string[] }>().nullable(),
    createdAt: t.timestamp().defaultNow().onUpdateNow(),
    day: t.date().nullable(),
    image: t.blob(),
    ratio: t.real(),
  },
  { indexes: [{ on: ["weekId", { createdAt: "desc" }] }] },
);
const Media = entity("media", {
  id: t.uuid().primaryKey().defaultRandom(),
  type: t.enum(["movie", "series"]),
  title: t.text(),
});
const Movie = entity(
  "movies",
  { runtimeMinutes: t.int().nullable() },
  { base: { entity: Media, set: { type: "movie" } } },
);
const Membership = entity(
  "memberships",
  { teamId: t.int(), userId: t.uuid(), role: t.text().default("member") },
  { primaryKey: ["teamId", "userId"] },
);

describe("the types of an entity", () => {
  it("give the row as it is read", () => {
    expectTypeOf<RowOf<typeof Week>>().toEqualTypeOf<{
      readonly id: number;
      readonly label: string;
    }>();
    expectTypeOf<RowOf<typeof Task>>().toEqualTypeOf<{
      readonly id: number;
      readonly weekId: number;
      readonly parentId: number | null;
      readonly kind: "audit" | "review";
      readonly done: boolean;
      readonly total: bigint;
      readonly details: { readonly tags: readonly string[] } | null;
      readonly createdAt: Date;
      readonly day: string | null;
      readonly image: Uint8Array;
      readonly ratio: number;
    }>();
  });

  it("let an insert leave out what has a default or may be NULL", () => {
    expectTypeOf<InsertOf<typeof Task>>().toEqualTypeOf<{
      readonly weekId: number;
      readonly image: Uint8Array;
      readonly ratio: number;
      readonly id?: number | undefined;
      readonly parentId?: number | null | undefined;
      readonly kind?: "audit" | "review" | undefined;
      readonly done?: boolean | undefined;
      readonly total?: bigint | undefined;
      readonly details?: { readonly tags: readonly string[] } | null | undefined;
      readonly createdAt?: Date | undefined;
      readonly day?: string | null | undefined;
    }>();
  });

  it("let a patch say NULL only where NULL is allowed, and never the key", () => {
    expectTypeOf<PatchOf<typeof Week>>().toEqualTypeOf<{ readonly label?: string | undefined }>();
    expectTypeOf<{ parentId: null }>().toExtend<PatchOf<typeof Task>>();
    expectTypeOf<{ weekId: null }>().not.toExtend<PatchOf<typeof Task>>();
    expectTypeOf<"id">().not.toExtend<keyof PatchOf<typeof Task>>();
  });

  it("give a single key as its value and several as an object", () => {
    expectTypeOf<KeyOf<typeof Task>>().toEqualTypeOf<number>();
    expectTypeOf<KeyOf<typeof Media>>().toEqualTypeOf<string>();
    expectTypeOf<KeyOf<typeof Movie>>().toEqualTypeOf<string>();
    expectTypeOf<KeyOf<typeof Membership>>().toEqualTypeOf<{
      readonly teamId: number;
      readonly userId: string;
    }>();
    expectTypeOf<PropertyOf<typeof Membership>>().toEqualTypeOf<"teamId" | "userId" | "role">();
  });

  it("require an int key that is composite or refers to something", () => {
    const Statistics = entity("statistics", {
      weekId: t.int().primaryKey().references("weeks.id"),
    });

    expectTypeOf<InsertOf<typeof Statistics>>().toEqualTypeOf<{ readonly weekId: number }>();
    expectTypeOf<InsertOf<typeof Membership>>().toEqualTypeOf<{
      readonly teamId: number;
      readonly userId: string;
      readonly role?: string | undefined;
    }>();
  });

  it("join base and detail, with the discriminator fixed", () => {
    expectTypeOf<RowOf<typeof Movie>>().toEqualTypeOf<{
      readonly id: string;
      readonly title: string;
      readonly type: "movie";
      readonly runtimeMinutes: number | null;
    }>();
    expectTypeOf<InsertOf<typeof Movie>>().toEqualTypeOf<{
      readonly title: string;
      readonly id?: string | undefined;
      readonly runtimeMinutes?: number | null | undefined;
    }>();
    expectTypeOf<PatchOf<typeof Movie>>().toEqualTypeOf<{
      readonly title?: string | undefined;
      readonly runtimeMinutes?: number | null | undefined;
    }>();
  });

  it("give Kysely's tables by SQL names", () => {
    type Tables = TablesOf<readonly [typeof Week, typeof Task, typeof Movie]>;

    expectTypeOf<keyof Tables>().toEqualTypeOf<"weeks" | "tasks" | "movies">();
    expectTypeOf<Tables["weeks"]>().toEqualTypeOf<{
      readonly id: Generated<number>;
      readonly week_label: ColumnType<string, string, string>;
    }>();
    expectTypeOf<keyof Tables["tasks"]>().toEqualTypeOf<
      | "id"
      | "week_id"
      | "parent_id"
      | "kind"
      | "done"
      | "total"
      | "details"
      | "created_at"
      | "day"
      | "image"
      | "ratio"
    >();
    expectTypeOf<Tables["tasks"]["day"]>().toEqualTypeOf<
      ColumnType<string | null, string | null | undefined, string | null>
    >();
    expectTypeOf<Tables["movies"]>().toEqualTypeOf<{
      readonly id: ColumnType<string, string, string>;
      readonly runtime_minutes: ColumnType<number | null, number | null | undefined, number | null>;
    }>();
  });

  it("let plain SQL leave out only what the database has a default for", () => {
    type Table = TablesOf<readonly [typeof Media]>["media"];
    const Token = entity("tokens", {
      id: t.int().primaryKey(),
      value: t.uuid().nullable().defaultRandom(),
    });

    expectTypeOf<Table["id"]>().toEqualTypeOf<ColumnType<string, string, string>>();
    expectTypeOf<TablesOf<readonly [typeof Token]>["tokens"]["value"]>().toEqualTypeOf<
      ColumnType<string | null, string | null | undefined, string | null>
    >();
    expectTypeOf<{ type: "movie"; title: string }>().toExtend<InsertOf<typeof Media>>();
  });

  it("are understood by Kysely", () => {
    const query = (db: Kysely<TablesOf<readonly [typeof Week, typeof Task]>>) =>
      db
        .selectFrom("tasks")
        .innerJoin("weeks", "weeks.id", "tasks.week_id")
        .select(["tasks.id", "week_label", "created_at"])
        .where("done", "=", true)
        .executeTakeFirstOrThrow();
    const insert = (db: Kysely<TablesOf<readonly [typeof Week]>>) =>
      db.insertInto("weeks").values({ week_label: "W1" });

    expectTypeOf<Awaited<ReturnType<typeof query>>>().toEqualTypeOf<{
      id: number;
      week_label: string;
      created_at: Date;
    }>();
    expectTypeOf(insert).toBeFunction();
  });

  it("know the columns as handles", () => {
    expectTypeOf(Task.weekId).toExtend<ColumnHandle<"int", number>>();
    expectTypeOf(Task.day).toExtend<ColumnHandle<"date", string | null>>();
    expectTypeOf(Task.day).not.toExtend<ColumnHandle<"int" | "real">>();
    expectTypeOf(Movie.id).toExtend<ColumnHandle<"uuid", string>>();
    expectTypeOf<Exclude<keyof typeof Week, symbol>>().toEqualTypeOf<
      "id" | "label" | "~standard"
    >();
  });

  it("make it a Standard Schema of an insert", () => {
    expectTypeOf(Week).toExtend<StandardSchemaV1<InsertOf<typeof Week>>>();
    expectTypeOf(Week).toExtend<Entity>();
    expectTypeOf<NonNullable<(typeof Movie)["~standard"]["types"]>["output"]>().toEqualTypeOf<
      RowOf<typeof Movie>
    >();
  });

  it("allow tables that refer to each other", () => {
    const Left = entity("left", {
      id: t.int().primaryKey(),
      rightId: t.int().nullable().references("right.id"),
    });
    const Right = entity("right", {
      id: t.int().primaryKey(),
      leftId: t.int().references("left.id"),
    });

    expectTypeOf<RowOf<typeof Left>["rightId"]>().toEqualTypeOf<number | null>();
    expectTypeOf<RowOf<typeof Right>["leftId"]>().toEqualTypeOf<number>();
  });

  it("take the output of a refinement", () => {
    const Email = zod.email().brand<"Email">();
    const Account = entity("accounts", {
      email: t.text().primaryKey().refine(Email),
      age: t.int().refine(valibot.pipe(valibot.number(), valibot.minValue(18))),
      settings: t.json().refine(zod.object({ theme: zod.string() })),
    });

    expectTypeOf<RowOf<typeof Account>>().toEqualTypeOf<{
      readonly email: string & zod.BRAND<"Email">;
      readonly age: number;
      readonly settings: { theme: string };
    }>();
  });
});

describe("the types refuse", () => {
  // Never called: the lines are only compiled, and each of them has to fail.
  const refused = (): void => {
    // @ts-expect-error a boolean has no least value
    t.boolean().min(1);
    // @ts-expect-error a text has no present moment
    t.text().defaultNow();
    // @ts-expect-error only a uuid is random
    t.int().defaultRandom();
    // @ts-expect-error a default has the type of the column
    t.int().default("1");
    // @ts-expect-error a default of an enum is one of its values
    t.enum(["a", "b"]).default("c");
    // @ts-expect-error a reference names table and column
    t.int().references("weeks");
    // @ts-expect-error the schema takes numbers, the column has texts
    t.text().refine(zod.number());
    // @ts-expect-error the schema makes a number of the text
    t.text().refine(zod.string().transform(Number));
    const columns = { id: t.int().primaryKey(), name: t.text() };
    // @ts-expect-error no such property in an index
    entity("x", columns, { indexes: [{ on: ["nome"] }] });
    // @ts-expect-error no such property in a descending index
    entity("x", columns, { indexes: [{ on: [{ nome: "desc" }] }] });
    // @ts-expect-error an index does not go up
    entity("x", columns, { indexes: [{ on: [{ name: "up" }] }] });
    // @ts-expect-error no such property in a key
    entity("x", columns, { primaryKey: ["id", "nome"] });
    // @ts-expect-error no such property in the search
    entity("x", columns, { search: ["nome"] });
    // @ts-expect-error no such option
    entity("x", columns, { index: [] });
    // @ts-expect-error no such property in the base
    entity("x", {}, { base: { entity: Media, set: { kind: "movie" } } });
    // @ts-expect-error no such value in the base
    entity("x", {}, { base: { entity: Media, set: { type: "book" } } });
  };

  it("what cannot be declared", () => {
    expectTypeOf(refused).toBeFunction();
  });
});

describe("SnakeCase", () => {
  /** Compiles only when the type gives `name`, and passes only when the function does. */
  const same = <Property extends string>(property: Property, name: SnakeCase<Property>): void => {
    expect(snakeCase(property)).toBe(name);
  };

  it("says what snakeCase does", () => {
    same("weekId", "week_id");
    same("htmlURLText", "html_url_text");
    same("userID", "user_id");
    same("line2Text", "line2_text");
    same("aB2C", "a_b2_c");
    same("X", "x");
    same("XYZ", "xyz");
    same("already_snake", "already_snake");
    same("odd_Case", "odd_case");
  });

  it("does not say anything else", () => {
    // @ts-expect-error the separator is missing
    expect(() => same("weekId", "weekid")).toThrow();
  });
});
