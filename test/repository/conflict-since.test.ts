import { copyFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import {
  Account,
  accountIn,
  balancesOf,
  bankWith,
  conflictOf,
  openBank,
  Transfer,
  temporaryFile,
} from "./conflict-support.ts";

const Media = entity("media", { id: t.int().primaryKey(), kind: t.text(), title: t.text() });
const Movie = entity(
  "movies",
  { year: t.int().nullable() },
  { base: { entity: Media, set: { kind: "movie" } } },
);

describe("an edit since a position", () => {
  it("is made when nobody else has changed the row", async () => {
    const bank = await bankWith(10, 20);
    const accounts = bank.repository(Account);
    const since = await bank.position();
    await accounts.patch(2, { balance: 21 });
    await bank.repository(Transfer).create({ fromId: 1, toId: 2, amount: 1 });

    expect(await accounts.patch(1, { balance: 11 }, { since })).toMatchObject({ balance: 11 });
  });

  it("is refused when somebody was faster", async () => {
    const bank = await bankWith(10);
    const accounts = bank.repository(Account);
    const since = await bank.position();
    await accounts.patch(1, { owner: "Bob" });

    const edits = [
      accounts.patch(1, { balance: 11 }, { since }),
      accounts.update(1, { owner: "Eve", balance: 12 }, { since }),
      accounts.delete(1, { since }),
    ];
    const conflicts = await Promise.all(edits.map(conflictOf));

    expect(conflicts.map((conflict) => conflict?.fields["table"])).toEqual(
      edits.map(() => "accounts"),
    );
    expect(conflicts[0]?.fields["reads"]).toBe("accounts(*) where id = 1");
    expect(await accounts.get(1)).toEqual({ id: 1, owner: "Bob", balance: 10 });
  });

  it("is refused when the row is gone, or has come back", async () => {
    const bank = await bankWith(10);
    const accounts = bank.repository(Account);
    const since = await bank.position();
    await accounts.delete(1);
    const gone = await conflictOf(accounts.patch(1, { balance: 11 }, { since }));
    await accounts.create({ id: 1, owner: "Ann", balance: 10 });

    expect(gone).toBeDefined();
    expect(await conflictOf(accounts.delete(1, { since }))).toBeDefined();
  });

  it("is refused for an edit of the same moment, which shares its commit", async () => {
    const bank = await bankWith(0);
    const accounts = bank.repository(Account);
    const since = await bank.position();
    const edits = [1, 2, 3].map((balance) => accounts.patch(1, { balance }, { since }));

    const conflicts = await Promise.all(edits.map(conflictOf));

    expect(conflicts.map((conflict) => conflict === undefined)).toEqual([true, false, false]);
    expect(await balancesOf(bank)).toEqual([1]);
  });

  it("outlives the process that gave the position", async () => {
    const path = temporaryFile();
    const before = await openBank(path);
    await before.repository(Account).createMany([{ owner: "Ann" }, { owner: "Bob" }]);
    const since = await before.position();
    await before.repository(Account).patch(2, { balance: 1 });
    await before.close();

    const accounts = (await openBank(path)).repository(Account);

    expect(await accounts.patch(1, { balance: 2 }, { since })).toMatchObject({ balance: 2 });
    expect(await conflictOf(accounts.patch(2, { balance: 2 }, { since }))).toBeDefined();
  });

  it("is judged in a transaction too", async () => {
    const bank = await bankWith(10, 20);
    const since = await bank.position();
    await bank.repository(Account).patch(2, { balance: 21 });
    const edit = (id: number): Promise<unknown> =>
      bank.transaction((tx) => tx.repository(Account).patch(id, { balance: 0 }, { since }));

    expect(await conflictOf(edit(1))).toBeUndefined();
    expect(await conflictOf(edit(2))).toBeDefined();
    expect(await balancesOf(bank)).toEqual([0, 21]);
  });

  it("covers a row in all tables that it is spread over", async () => {
    await using db = await open({ url: "sqlite::memory:", entities: [Media, Movie] });
    const movies = db.repository(Movie);
    await movies.create({ title: "M", year: 1931 });
    const since = await db.position();
    await db.repository(Media).patch(1, { title: "M!" });

    expect(await conflictOf(movies.patch(1, { year: 1932 }, { since }))).toBeDefined();
    expect(await movies.get(1)).toMatchObject({ title: "M!", year: 1931 });
  });

  it("is refused in a copy of the file that has gone another way", async () => {
    const [path, copy] = [temporaryFile(), temporaryFile()];
    const first = await openBank(path);
    await first.repository(Account).createMany([{ owner: "Ann" }, { owner: "Bob" }]);
    await first.position();
    await first.close();
    copyFileSync(path, copy);
    const [one, other] = [await openBank(path), await openBank(copy)];
    await one.repository(Account).patch(1, { balance: 1 });
    await other.repository(Account).patch(1, { balance: 1 });
    const since = await one.position();

    const edit = other.repository(Account).patch(2, { balance: 2 }, { since });

    expect((await conflictOf(edit))?.fields["change"]).toContain("does not reach back");
  });

  it.each(["", "x", "1.2.3.4", "MS4x", "%", 7, null, {}, "a".repeat(10_000)])(
    "refuses %j, which is no position",
    async (since) => {
      const bank = await bankWith(10);
      const edit = bank.repository(Account).patch(1, { balance: 1 }, { since: since as string });

      await expect(edit).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(() => bank.unitOfWork().since(since as string)).toThrow("position()");
    },
  );

  it("is refused when the position was lost on its way, and nothing is written", async () => {
    const bank = await bankWith(10);
    const accounts = bank.repository(Account);
    const lost: object = { since: undefined };

    const edits = [
      accounts.patch(1, { balance: 11 }, lost),
      accounts.update(1, { owner: "Eve", balance: 12 }, lost),
      accounts.delete(1, lost),
    ];

    for (const edit of edits) {
      await expect(edit).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(edit).rejects.toThrow("since is undefined");
    }
    expect(() => bank.unitOfWork().since(undefined as never)).toThrow("position()");
    expect(await balancesOf(bank)).toEqual([10]);
  });

  it("has no position in a database without a cache", async () => {
    const bank = await openBank(temporaryFile(), { cache: false });

    await expect(bank.position()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("has no position in a file that cannot be given a log", async () => {
    const path = temporaryFile();
    await (await openBank(path)).close();
    const bank = await openBank(path, { readOnly: true });

    await expect(bank.position()).rejects.toMatchObject({ code: "READ_ONLY" });
  });
});

describe("a unit of work since a position", () => {
  it("rests on what it reads as it was then, and does not run again", async () => {
    const bank = await bankWith(10, 20);
    const since = await bank.position();
    await bank.repository(Account).patch(1, { balance: 15 });
    let runs = 0;
    const work = bank.unitOfWork(
      async (unit) => {
        runs++;
        unit.since(since);
        (await accountIn(unit, 1)).balance += 1;
      },
      { retry: 3 },
    );

    expect(await conflictOf(work)).toBeDefined();
    expect(runs).toBe(1);
    expect(await balancesOf(bank)).toEqual([15, 20]);
  });

  it("is committed when nothing of it was changed since", async () => {
    const bank = await bankWith(10, 20);
    const since = await bank.position();
    await bank.repository(Transfer).create({ fromId: 1, toId: 2, amount: 1 });
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    unit.since(since);

    await unit.commit();

    expect(await balancesOf(bank)).toEqual([11, 20]);
  });

  it("is refused where units expect nothing", async () => {
    const bank = await bankWith(10);
    const since = await bank.position();

    await bank.transaction(async (tx) => {
      expect(() => tx.unitOfWork().since(since)).toThrow("since()");
    });
  });
});
