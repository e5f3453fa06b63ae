import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Image } from "../../src/change/change.ts";
import { holds } from "../../src/change/evaluate.ts";
import type { Atom } from "../../src/change/footprint.ts";
import type { Predicate } from "../../src/change/predicate.ts";
import type { Affinity, SchemaStructure, TableStructure } from "../../src/change/structure.ts";
import type { ImageValue } from "../../src/change/value.ts";
import { readDemandsBy } from "../../src/repository/demands.ts";
import { planCount, planExists, planList, planOne } from "../../src/repository/read.ts";
import { readingOf as readingOfDemands } from "../../src/repository/reading.ts";
import type { ReadingOf } from "../../src/store/reading.ts";
import { TEXTS, taskInputs, where } from "./conditions.ts";
import { matches } from "./oracle.ts";
import { catalog, type Fixture, Movie, openFixture, Task, Week } from "./support.ts";

const AFFINITIES: Readonly<Record<string, Affinity>> = {
  int: "integer",
  bigint: "integer",
  boolean: "integer",
  timestamp: "integer",
  real: "real",
  blob: "blob",
};

/** The tables as their declarations make them. */
function declared(collation = "binary"): SchemaStructure {
  const tables = new Map<string, TableStructure>();
  for (const { table, columns } of catalog.entities) {
    tables.set(table, {
      name: table,
      capture: "rows",
      columns: columns.map(({ name, kind }) => {
        const affinity = AFFINITIES[kind] ?? "text";
        return { name, affinity, collation: affinity === "text" ? collation : "binary" };
      }),
    });
  }
  return { table: (name) => tables.get(name) };
}

readDemandsBy(readingOfDemands);

const schema = declared();

interface Told {
  readonly reading: ReadingOf;
}

function atomsOf(planned: Told | undefined, known = schema): readonly Atom[] {
  const reading = planned?.reading(known);
  if (reading?.cacheable !== true) throw new Error("It does not tell what it reads.");
  return reading.footprint.atoms;
}

function isExact(predicate: Predicate): boolean {
  if (predicate.kind === "opaque") return false;
  if (predicate.kind === "not") return isExact(predicate.part);
  return !("parts" in predicate) || predicate.parts.every(isExact);
}

let fixture: Fixture;
let images: { readonly row: Record<string, unknown>; readonly image: Image }[];

beforeAll(async () => {
  fixture = await openFixture("sqlite");
  await fixture.of(Week).createMany([{ label: "w1" }, { label: "w2" }, { label: "w3" }]);
  const rows = await fixture.of(Task).createMany(taskInputs(), { returning: true });
  const structure = schema.table("tasks") as TableStructure;
  const columns = structure.columns.map(({ name }) => name);
  const { path } = fixture.store as unknown as { readonly path: string };
  using plain = new DatabaseSync(path, { readOnly: true });
  const select = plain.prepare(`SELECT ${columns.join()} FROM tasks WHERE id = ?`);
  select.setReadBigInts(true);
  select.setReturnArrays(true);
  images = rows.map((row) => {
    // An integer in a REAL column is read as one; in the log it is a real.
    const values = (select.get(row.id) as unknown as ImageValue[]).map((value, index) =>
      structure.columns[index]?.affinity === "real" && value !== null ? Number(value) : value,
    );
    return { row: { ...row }, image: { columns, values } };
  });
});

afterAll(() => fixture[Symbol.asyncDispose]());

describe("what a list reads", () => {
  it("is every row that its condition gives, and no other when all of it can be judged", () => {
    const model = fixture.scope.models.of(Task);
    const structure = schema.table("tasks") as TableStructure;
    let exact = 0;

    fc.assert(
      fc.property(where, (condition) => {
        const planned = planList(fixture.scope, model, { where: condition }, undefined, {});
        const [atom] = atomsOf(planned);
        const predicate = atom?.predicate as Predicate;
        for (const { row, image } of images) {
          const isWanted = matches(row, condition as Record<string, unknown>);
          const isRead = holds(predicate, image, structure);
          if (isWanted) expect(isRead).toBe(true);
          if (!isWanted && isExact(predicate)) {
            exact++;
            expect(isRead).toBe(false);
          }
        }
      }),
      { numRuns: 500 },
    );

    expect(exact).toBeGreaterThan(1_000);
  });

  it("is what each operator says, below a not as well", () => {
    const model = fixture.scope.models.of(Task);
    const structure = schema.table("tasks") as TableStructure;
    const conditions = [
      ...[null, 0.5].flatMap((value) => [{ ratio: { eq: value } }, { ratio: { ne: value } }]),
      ...["gt", "gte", "lt", "lte"].map((name) => ({ ratio: { [name]: 0.5 } })),
      ...["in", "notIn"].flatMap((name) =>
        [[], [0.5], [0.5, null], [null]].map((list) => ({ ratio: { [name]: list } })),
      ),
      ...TEXTS.flatMap((text) =>
        ["startsWith", "endsWith", "contains", "like"].map((name) => ({ title: { [name]: text } })),
      ),
      { or: [] },
      { and: [] },
      { not: { or: [{ ratio: { gt: 0.5 } }, { not: { dueOn: { lt: "2025-01-03" } } }] } },
    ].flatMap((condition) => [condition, { not: condition }]);

    for (const condition of conditions) {
      const planned = planList(fixture.scope, model, { where: condition }, undefined, {});
      const [atom] = atomsOf(planned);
      for (const { row, image } of images) {
        const isLike = JSON.stringify(condition).includes('"like"');
        if (!isLike && matches(row, condition)) {
          expect(holds(atom?.predicate as Predicate, image, structure)).toBe(true);
        }
      }
    }
  });

  it("is narrowed by permissions, and stays as it was when the caller changes the condition", () => {
    const model = fixture.scope.models.of(Task);
    const condition = { score: 3, createdAt: new Date(5) };
    const planned = planList(fixture.scope, model, { where: condition }, { isPaid: true }, {});

    condition.score = 4;
    condition.createdAt.setTime(7);

    const [atom] = atomsOf(planned);
    expect(atom?.predicate).toEqual({
      kind: "and",
      parts: [
        { kind: "compare", column: "score", operator: "=", value: 3n },
        { kind: "compare", column: "created_at", operator: "=", value: 5n },
        { kind: "compare", column: "is_paid", operator: "=", value: 1n },
      ],
    });
  });
});

describe("what other reads read", () => {
  it("is one row of each table of an entity with a base", () => {
    const model = fixture.scope.models.of(Movie);
    const id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80";

    const atoms = atomsOf(planOne(fixture.scope, model, [id], { year: 1999 }, {}));

    const byKey = { kind: "in", column: "id", values: [id] };
    expect(atoms.map(({ table }) => table)).toEqual(["media", "movies"]);
    expect(atoms[0]?.predicate).toEqual({ kind: "and", parts: [byKey, { kind: "opaque" }] });
    expect(atoms[1]?.predicate).toMatchObject({ parts: [byKey, { column: "year", value: 1999n }] });
  });

  it("does not carry a key over to the base when its column compares in another way", () => {
    const model = fixture.scope.models.of(Movie);
    const id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80";
    const planned = planOne(fixture.scope, model, [id], undefined, {});

    const [base] = atomsOf(planned, declared("nocase"));

    expect(base?.predicate).toEqual({ kind: "opaque" });
  });

  it("is the columns of the conditions alone for a count, and the key for exists", () => {
    const model = fixture.scope.models.of(Task);
    const count = planCount(fixture.scope, model, { not: { weekId: 1 } }, { score: 0 }, {});
    const exists = planExists(fixture.scope, model, [1], undefined, {});

    expect([...(atomsOf(count)[0]?.columns ?? [])].sort()).toEqual(["id", "score", "week_id"]);
    expect([...(atomsOf(exists)[0]?.columns ?? [])]).toEqual(["id"]);
  });

  it("is only what the text tells when the table is none of the file's", () => {
    const model = fixture.scope.models.of(Task);
    const planned = planOne(fixture.scope, model, [1], undefined, {});

    expect(planned.reading({ table: () => undefined })).toBe(undefined);
  });
});
