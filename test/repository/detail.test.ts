import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Car, type Fixture, Media, Movie, openFixture, storeKinds, Vehicle } from "./support.ts";

describe.each(storeKinds)("base and detail over the %s store", (kind) => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
  });

  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  test("a detail is a row of both tables, and the base sees its part", async () => {
    const movies = fixture.of(Movie);

    const movie = await movies.create({ title: " Dune ", year: 1984 });

    expect(movie).toEqual({
      id: expect.any(String),
      type: "movie",
      title: "Dune",
      status: "pending",
      updatedAt: new Date(fixture.clock.ms),
      year: 1984,
      director: "",
    });
    expect(await movies.get(movie.id)).toEqual(movie);
    const { year, director, ...base } = movie;
    expect(await fixture.of(Media).get(movie.id)).toEqual(base);
  });

  test("a base row that is not of the detail is not found through it", async () => {
    const series = await fixture.of(Media).create({ type: "series", title: "Dark" });
    const movies = fixture.of(Movie);

    expect(await movies.get(series.id)).toBeUndefined();
    await expect(movies.patch(series.id, { title: "x" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await movies.delete(series.id)).toBe(false);
    expect(await fixture.of(Media).get(series.id)).toEqual(series);
  });

  test("a patch reaches both tables, a delete too", async () => {
    const movies = fixture.of(Movie);
    const movie = await movies.create({ title: "Dune" });
    fixture.clock.ms += 5;

    const patched = await movies.patch(movie.id, { title: "Dune II", year: 2024 });
    const reread = await movies.get(movie.id);
    const deleted = await movies.delete(movie.id);

    expect(patched).toEqual({
      ...movie,
      title: "Dune II",
      year: 2024,
      updatedAt: new Date(fixture.clock.ms),
    });
    expect(reread).toEqual(patched);
    expect(deleted).toBe(true);
    expect(await fixture.of(Media).count()).toBe(0);
    expect(await movies.count()).toBe(0);
  });

  test("conditions and orders reach both tables", async () => {
    const movies = fixture.of(Movie);
    await movies.createMany([
      { title: "B", year: 1 },
      { title: "A", year: 2 },
      { title: "C", year: 2 },
    ]);

    const rows = await movies.list({
      where: { year: 2, title: { ne: "D" } },
      orderBy: { title: "desc" },
    });

    expect(rows.map(({ title }) => title)).toEqual(["C", "A"]);
    expect(await movies.deleteMany({ year: 2 })).toBe(2);
    expect(await fixture.of(Media).count()).toBe(1);
  });

  test("a key that the database numbers is numbered once for both tables", async () => {
    const cars = fixture.of(Car);

    const car = await cars.create({ plate: "A 1" });
    const more = await cars.createMany([{ plate: "A 2", doors: 2 }, { plate: "A 3" }], {
      returning: true,
    });

    expect(car).toEqual({ id: 1, kind: "car", plate: "A 1", doors: 4, ownerId: null });
    expect(more.map(({ id, doors }) => [id, doors])).toEqual([
      [2, 2],
      [3, 4],
    ]);
    expect(await fixture.of(Vehicle).count()).toBe(3);
  });

  test("a refused detail leaves no base row", async () => {
    const run = fixture
      .of(Car)
      .create({ plate: "A 1", ownerId: "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e" });

    await expect(run).rejects.toMatchObject({ code: "CONSTRAINT" });
    expect(await fixture.of(Vehicle).count()).toBe(0);
  });

  test("an upsert finds the row by properties of the base", async () => {
    const cars = fixture.of(Car);
    const first = await cars.upsert({ plate: "A 1" }, { on: ["plate"] });

    const second = await cars.upsert({ plate: "A 1", doors: 2 }, { on: ["plate"] });

    expect(second).toEqual({ ...first, doors: 2 });
    expect(await cars.count()).toBe(1);
  });
});
