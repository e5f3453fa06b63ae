import { describe, expect, it } from "vitest";
import { type Columns, t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import { failureOf } from "./support.ts";

const id = t.int().primaryKey();

/** Declares as a JavaScript program would, without the help of types. */
function declare(
  columns: Record<string, unknown>,
  options: object = {},
  table = "things",
): unknown {
  return entity(table, columns as Columns, options);
}

describe("a detail of a base", () => {
  const Media = entity("media", {
    id: t.uuid().primaryKey().defaultRandom(),
    type: t.enum(["movie", "series"]),
    title: t.text({ minLength: 1 }),
  });

  it("takes over the key, which refers to the base", () => {
    const Movie = entity(
      "movies",
      { year: t.int().nullable() },
      { base: { entity: Media, set: { type: "movie" } } },
    );
    const facts = factsOf(Movie);

    expect(facts.columns.map(({ property }) => property)).toEqual(["id", "year"]);
    expect(facts.primaryKey[0]).toMatchObject({ property: "id", kind: "uuid", primaryKey: true });
    expect(facts.primaryKey[0]?.default).toBeUndefined();
    expect(facts.foreignKeys).toEqual([
      {
        columns: ["id"],
        table: "media",
        references: ["id"],
        onDelete: "cascade",
        onUpdate: "cascade",
      },
    ]);
    expect(facts.base?.facts).toBe(factsOf(Media));
    expect(facts.base?.set).toEqual({ type: "movie" });
    expect(Movie.id.table).toBe("movies");
  });

  it("may give the key a name of its own", () => {
    const Movie = entity(
      "movies",
      { id: t.uuid().primaryKey().column("media_id") },
      { base: { entity: Media } },
    );

    expect(factsOf(Movie).foreignKeys[0]).toMatchObject({
      columns: ["media_id"],
      references: ["id"],
    });
  });

  it("may fix a property to NULL where NULL is allowed", () => {
    const Base = entity("bases", { id: t.int().primaryKey(), note: t.text().nullable() });
    const Detail = entity("details", {}, { base: { entity: Base, set: { note: null } } });

    expect(factsOf(Detail).base?.set).toEqual({ note: null });
  });

  it("may have a key of several columns", () => {
    const Base = entity("bases", { a: t.int(), b: t.int() }, { primaryKey: ["a", "b"] });
    const Detail = entity("details", { c: t.int() }, { base: { entity: Base } });

    expect(factsOf(Detail).primaryKey.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(factsOf(Detail).foreignKeys).toMatchObject([
      { columns: ["a", "b"], table: "bases", references: ["a", "b"] },
    ]);
  });

  const bad: readonly (readonly [string, Record<string, unknown>, object, RegExp])[] = [
    ["has a property of the base", { title: t.text() }, { entity: Media }, /"title".*of the base/],
    ["has a key of its own", { number: id }, { entity: Media }, /"number".*that of the base/],
    ["has a key of another kind", { id }, { entity: Media }, /is int but uuid/],
    ["gives the key a default", { id: t.uuid().defaultRandom() }, { entity: Media }, /by itself/],
    ["fixes an unknown property", {}, { entity: Media, set: { kind: "movie" } }, /"kind".*no such/],
    ["fixes an impossible value", {}, { entity: Media, set: { type: "book" } }, /one of "movie"/],
    ["fixes the key", {}, { entity: Media, set: { id: "x" } }, /cannot be fixed/],
  ];

  it.each(bad)("is refused when it %s", (_, columns, base, message) => {
    const error = failureOf(() => declare(columns, { base }));

    expect(error.code).toBe("INVALID_SCHEMA");
    expect(error.message).toMatch(message);
  });

  it("is refused when its base is a detail", () => {
    const Movie = entity("movies", {}, { base: { entity: Media } });

    expect(failureOf(() => declare({}, { base: { entity: Movie } })).message).toContain(
      "one level",
    );
  });
});
