import { execFileSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import {
  Account,
  accountIn,
  type Bank,
  balancesOf,
  bankWith,
  conflictOf,
  openBank,
  Transfer,
  temporaryFile,
} from "./conflict-support.ts";

/** Runs SQL in a process that knows nothing of Springhouse. */
function runElsewhere(path: string, sql: string): void {
  const program =
    'const { DatabaseSync } = require("node:sqlite");' +
    "const database = new DatabaseSync(process.argv[1]);" +
    "database.exec(process.argv[2]); database.close();";
  execFileSync(process.execPath, ["--no-warnings", "-e", program, path, sql]);
}

async function withPath(): Promise<{ readonly bank: Bank; readonly path: string }> {
  const path = temporaryFile();
  const bank = await openBank(path);
  await bank.repository(Account).create({ owner: "Ann", balance: 10 });
  return { bank, path };
}

describe("a unit of work", () => {
  it("does not write over what somebody else has changed since", async () => {
    const bank = await bankWith(10);
    await using first = bank.unitOfWork();
    await using second = bank.unitOfWork();
    (await accountIn(first, 1)).balance += 1;
    (await accountIn(second, 1)).balance += 2;
    await second.repository(Account).add({ owner: "Bob" });
    const told: string[] = [];
    bank.on("accountCreated", (event) => void told.push(event.new.owner));

    await first.commit();
    const conflict = await conflictOf(second.commit());

    expect(conflict?.fields).toMatchObject({
      table: "accounts",
      change: "a row of accounts (id = 1) was updated: balance from 10 to 11",
    });
    expect(String(conflict?.fields["reads"])).toMatch(/^accounts\(/);
    expect(await balancesOf(bank)).toEqual([11]);
    expect(told).toEqual([]);
  });

  it("stays refused when it is committed again", async () => {
    const bank = await bankWith(10);
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance = 0;
    await bank.repository(Account).patch(1, { balance: 5 });

    expect(await conflictOf(unit.commit())).toBeDefined();
    expect(await conflictOf(unit.commit())).toBeDefined();
    expect(await balancesOf(bank)).toEqual([5]);
  });

  it("rests on rows that it only reads as well", async () => {
    const bank = await bankWith(60, 60);
    /** Either account may be overdrawn as long as both together are not. */
    const withdraw = async (id: number): Promise<void> => {
      await using unit = bank.unitOfWork();
      const [one, other] = [await accountIn(unit, 1), await accountIn(unit, 2)];
      if (one.balance + other.balance < 100) return unit.rollback();
      (id === 1 ? one : other).balance -= 100;
      await unit.commit();
    };

    const conflicts = await Promise.all([conflictOf(withdraw(1)), conflictOf(withdraw(2))]);

    expect(conflicts.filter((conflict) => conflict !== undefined)).toHaveLength(1);
    expect((await balancesOf(bank)).toSorted((a, b) => a - b)).toEqual([-40, 60]);
  });

  it("rests on rows that were not there when it looked for them", async () => {
    const bank = await bankWith();
    await using unit = bank.unitOfWork();
    const poor = await unit.repository(Account).list({ where: { balance: { lt: 5 } } });
    await unit.repository(Transfer).add({ fromId: 1, toId: 2, amount: poor.length });
    await bank.repository(Account).create({ owner: "Bob", balance: 1 });

    const conflict = await conflictOf(unit.commit());

    expect(conflict?.fields["change"]).toContain("a row was inserted into accounts");
    expect(await bank.repository(Transfer).count()).toBe(0);
  });

  it("does not mind changes of what it has not read", async () => {
    const bank = await bankWith(10);
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance = 11;
    await bank.repository(Transfer).create({ fromId: 1, toId: 2, amount: 3 });

    await unit.commit();

    expect(await balancesOf(bank)).toEqual([11]);
  });

  it("does not mind changes of other rows of the tables that it has read", async () => {
    const bank = await bankWith(10, 20, 30);
    await using unit = bank.unitOfWork();
    const account = await accountIn(unit, 1);
    const rich = await unit.repository(Account).list({ where: { balance: { gte: 30 } } });
    account.balance += rich.length;
    await bank.repository(Account).patch(2, { balance: 29 });

    await unit.commit();

    expect(await balancesOf(bank)).toEqual([11, 29, 30]);
  });

  it("minds a row that comes into a list, and one that leaves it", async () => {
    for (const balance of [30, 29]) {
      const bank = await bankWith(10, 20, 30);
      await using unit = bank.unitOfWork();
      const account = await accountIn(unit, 1);
      account.balance += (
        await unit.repository(Account).list({ where: { balance: { gte: 30 } } })
      ).length;
      await bank.repository(Account).patch(balance === 30 ? 2 : 3, { balance });

      const conflict = await conflictOf(unit.commit());

      expect(conflict?.fields["table"]).toBe("accounts");
    }
  });

  it("is never refused when it only writes", async () => {
    const bank = await bankWith(10);
    const add = async (): Promise<void> => {
      await using unit = bank.unitOfWork();
      await unit.repository(Account).add({ owner: "Bob" });
      await unit.commit();
    };

    await Promise.all(Array.from({ length: 10 }, add));

    expect(await balancesOf(bank)).toHaveLength(11);
  });

  it("is not refused for what it only reads and does not write", async () => {
    const bank = await bankWith(10);
    await using unit = bank.unitOfWork();
    await accountIn(unit, 1);
    await bank.repository(Account).patch(1, { balance: 11 });

    await expect(unit.commit()).resolves.toBeUndefined();
  });

  it("is refused for its first read, however fresh the later ones are", async () => {
    const bank = await bankWith(10, 20);
    await using unit = bank.unitOfWork();
    const one = await accountIn(unit, 1);
    await bank.repository(Account).patch(1, { balance: 11 });
    const [again] = await unit.repository(Account).list({ orderBy: { id: "asc" } });
    one.balance += 1;

    expect(again).toBe(one);
    expect(await conflictOf(unit.commit())).toBeDefined();
    expect(await balancesOf(bank)).toEqual([11, 20]);
  });

  it("sees what other processes write", async () => {
    const { bank, path } = await withPath();
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    runElsewhere(path, "UPDATE accounts SET balance = 20");

    expect((await conflictOf(unit.commit()))?.fields["change"]).toContain("from 10 to 20");
    expect(await balancesOf(bank)).toEqual([20]);
  });

  it("is refused when the log was trimmed past what it has read", async () => {
    const { bank, path } = await withPath();
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    await bank.repository(Transfer).create({ fromId: 1, toId: 2, amount: 3 });
    runElsewhere(
      path,
      "DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)",
    );

    const conflict = await conflictOf(unit.commit());

    expect(conflict?.fields["change"]).toContain("does not reach back");
    expect(await balancesOf(bank)).toEqual([10]);
  });

  it("is refused when the schema was changed", async () => {
    const { bank, path } = await withPath();
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    runElsewhere(path, "CREATE TABLE other (x)");

    const conflict = await conflictOf(unit.commit());

    expect(conflict?.fields["change"]).toBe("the schema was changed");
    expect(await balancesOf(bank)).toEqual([10]);
  });

  it("is refused when somebody has written past the log", async () => {
    const { bank, path } = await withPath();
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    const other = new DatabaseSync(path);
    other.exec("DELETE FROM springhouse_log WHERE seq < 0");
    other.exec("BEGIN; UPDATE accounts SET balance = 20");
    other.exec("DELETE FROM springhouse_log WHERE seq = (SELECT max(seq) FROM springhouse_log)");
    other.exec("COMMIT");
    other.close();

    const conflict = await conflictOf(unit.commit());

    expect(conflict?.fields["change"]).toContain("that the log of changes does not have");
  });

  it("expects nothing in a transaction, where nobody else writes", async () => {
    const bank = await bankWith(10);
    await bank.transaction(async (tx) => {
      await using unit = tx.unitOfWork();
      const account = await accountIn(unit, 1);
      await tx.repository(Account).patch(1, { owner: "Bob" });
      account.balance += 1;
      await unit.commit();
    });

    expect(await bank.repository(Account).get(1)).toEqual({ id: 1, owner: "Bob", balance: 11 });
  });

  it("expects nothing in a database without a cache", async () => {
    const path = temporaryFile();
    const bank = await openBank(path, { cache: false });
    await bank.repository(Account).create({ owner: "Ann", balance: 10 });
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance = 11;
    await bank.repository(Account).patch(1, { balance: 20 });

    await unit.commit();

    expect(await balancesOf(bank)).toEqual([11]);
    const log = "SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE 'springhouse_log%'";
    expect((await bank.execute(log)).rows).toEqual([{ n: 0 }]);
  });

  it("counts the changes of everybody who has the file open", async () => {
    const { bank, path } = await withPath();
    const other = await openBank(path);
    await using unit = bank.unitOfWork();
    (await accountIn(unit, 1)).balance += 1;
    await other.repository(Account).patch(1, { balance: 20 });

    expect(await conflictOf(unit.commit())).toBeDefined();
  });
});
