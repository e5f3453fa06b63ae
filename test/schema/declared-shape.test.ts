/** What a program in plain JavaScript can get wrong in a declaration. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type Columns, t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import { failureOf } from "./support.ts";

const id = t.int().primaryKey();
const Media = entity("media", { id, type: t.text() });

/** The message of the refusal, which names the entity. */
function refusalOf(options: unknown, columns: unknown = { id, n: t.int() }): string {
  const { code, message } = failureOf(() =>
    entity("things", columns as Columns, options as object),
  );
  expect(code).toBe("INVALID_SCHEMA");
  expect(message).toMatch(/^Entity "things"/);
  return message;
}

describe("a misspelt key is refused with the right one", () => {
  const references = { table: "media", columns: ["id"] };

  it.each([
    ["audit", { audits: true }],
    ["unique", { indexes: [{ on: ["n"], uniqe: true }] }],
    ["name", { uniques: [{ on: ["n"], nam: "u" }] }],
    ["onDelete", { foreignKeys: [{ on: ["n"], references, onDelet: "cascade" }] }],
    ["columns", { foreignKeys: [{ on: ["n"], references: { table: "m", column: ["id"] } }] }],
    ["expression", { checks: [{ name: "c", expr: "n > 0" }] }],
    ["set", { base: { entity: Media, sett: { type: "x" } } }],
  ])("%s", (meant, options) => {
    expect(refusalOf(options)).toContain(`Did you mean "${meant}"?`);
  });

  it("in references(), with the property", () => {
    const n = t.int().references("media.id", { onDelet: "cascade" } as object);

    expect(refusalOf({}, { id, n })).toBe(
      'Entity "things", property "n": references(): unknown option "onDelet". ' +
        'Did you mean "onDelete"? Known options: onDelete, onUpdate.',
    );
    expect(refusalOf({}, { id, n: t.int().references("media.id", "cascade" as never) })).toContain(
      "references() takes an object of options, not string",
    );
  });
});

describe("a value of another shape is refused, and how it is written is said", () => {
  it.each([
    ["no options", null, "takes an object of options, not null"],
    ["indexes of lists", { indexes: [["n"]] }, 'indexes[0] is written { on: ["weekId"] }, not as'],
    ["indexes by columns", { indexes: [{ columns: ["n"] }] }, 'unknown option "columns"'],
    ["an index of nothing", { indexes: [{}] }, 'indexes[0] has no "on"; it is written'],
    ["an index of a text", { indexes: [{ on: "n" }] }, "indexes[0].on must be a list such as"],
    ["an index of lists", { indexes: [{ on: [["n"]] }] }, "indexes[0].on must be a list such as"],
    ["a unique that is no flag", { indexes: [{ on: ["n"], unique: 1 }] }, "true or false, not 1"],
    ["a where that is a function", { indexes: [{ on: ["n"], where: () => 1 }] }, "must be a text"],
    ["indexes by name", { indexes: { a: ["n"] } }, "indexes is a list such as [{ on:"],
    [
      "uniques of texts",
      { uniques: ["n"] },
      'uniques[0] is written { on: ["weekId"] }, not as "n"',
    ],
    ["checks by name", { checks: {} }, 'checks is a list such as [{ name: "ck_score"'],
    ["a check of a text", { checks: ["n > 0"] }, "checks[0] is written"],
    ["a check without a name", { checks: [{ expression: "n > 0" }] }, 'checks[0] has no "name"'],
    ["a key of a text", { primaryKey: "id" }, 'primaryKey must be a list such as ["weekId"]'],
    ["a foreign key to nothing", { foreignKeys: [{ on: ["n"] }] }, 'has no "references"'],
    [
      "a foreign key to a text",
      { foreignKeys: [{ on: ["n"], references: "media.id" }] },
      "foreignKeys[0].references must be an object",
    ],
    [
      "a foreign key to no columns",
      { foreignKeys: [{ on: ["n"], references: { table: "media" } }] },
      'foreignKeys[0].references has no "columns"; it is written',
    ],
    ["an audit of a text", { audit: "yes" }, 'audit must be true or false, not "yes"'],
    ["a search of a text", { search: "n" }, "search must be a list"],
    ["a base alone", { base: Media }, "base is written { entity: Media, set:"],
    ["a base of nothing", { base: { entity: undefined } }, 'base has no "entity"'],
    ["a base of something", { base: { entity: {} } }, "not made by entity()"],
    ["a set of a text", { base: { entity: Media, set: "movie" } }, "base.set must be an object"],
  ])("%s", (_, options, message) => {
    expect(refusalOf(options)).toContain(message);
  });

  it.each([
    ["no columns", null, "its columns are an object such as"],
    ["columns in a list", [id], "its columns are an object such as"],
    ["a text as pattern", { id, a: t.text({ pattern: "^x" as never }) }, "such as /^x/, not"],
    ["a text as trim", { id, a: t.text({ trim: "yes" as never }) }, "trim must be true or false"],
    ["an enum of a text", { id, a: t.enum("ab" as never) }, "t.enum() takes a list of texts"],
    [
      "an enum of nothing",
      { id, a: t.enum(undefined as never) },
      "an enum needs at least one value",
    ],
  ])("%s", (_, columns, message) => {
    expect(refusalOf({}, columns)).toContain(message);
  });

  it("but what is left undefined is left out, and a pattern may come from another realm", () => {
    const columns = { id, a: t.text({ pattern: runInNewContext("/^x/") }) };
    const options = { indexes: [{ on: ["a"], name: undefined }], search: undefined };

    const Thing = entity("things", columns, options as object);

    expect(factsOf(Thing).indexes).toMatchObject([{ name: "idx_things_a" }]);
  });
});
