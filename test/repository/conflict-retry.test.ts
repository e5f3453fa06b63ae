import { describe, expect, it } from "vitest";
import {
  Account,
  accountIn,
  type Bank,
  balancesOf,
  bankWith,
  conflictOf,
} from "./conflict-support.ts";

/** Adds one to the first account, and lets somebody else change it before the first `disturbed`. */
function adding(
  bank: Bank,
  disturbed: number,
): { runs: number; run: (retry: number) => Promise<number> } {
  const state = {
    runs: 0,
    run: (retry: number): Promise<number> =>
      bank.unitOfWork(
        async (unit) => {
          state.runs++;
          const account = await accountIn(unit, 1);
          account.balance += 1;
          if (state.runs <= disturbed) {
            await bank.repository(Account).patch(1, { balance: state.runs * 100 });
          }
          return account.balance;
        },
        { retry },
      ),
  };
  return state;
}

describe("a unit of work as a function", () => {
  it("is committed when it is done, and gives what the function gave", async () => {
    const bank = await bankWith(10);

    expect(await adding(bank, 0).run(0)).toBe(11);
    expect(await balancesOf(bank)).toEqual([11]);
  });

  it("runs again with fresh reads after a conflict", async () => {
    const bank = await bankWith(10);
    const work = adding(bank, 2);

    expect(await work.run(2)).toBe(201);
    expect(work.runs).toBe(3);
    expect(await balancesOf(bank)).toEqual([201]);
  });

  it("is refused when it has run as often as it may", async () => {
    const bank = await bankWith(10);
    const work = adding(bank, 9);

    expect(await conflictOf(work.run(2))).toBeDefined();
    expect(work.runs).toBe(3);
    expect(await balancesOf(bank)).toEqual([300]);
  });

  it("runs once when it is not said how often", async () => {
    const bank = await bankWith(10);
    let runs = 0;
    const work = bank.unitOfWork(async (unit) => {
      runs++;
      (await accountIn(unit, 1)).balance += 1;
      await bank.repository(Account).patch(1, { balance: 5 });
    });

    expect(await conflictOf(work)).toBeDefined();
    expect(runs).toBe(1);
  });

  it("tells events of the run that was committed, and of no other", async () => {
    const bank = await bankWith(10);
    const told: number[] = [];
    bank.on("accountUpdated", (event) => void told.push(event.new.balance));

    await adding(bank, 2).run(5);

    expect(told).toEqual([100, 200, 201]);
  });

  it("writes nothing when the function fails, and does not run again", async () => {
    const bank = await bankWith(10);
    let runs = 0;
    const work = bank.unitOfWork(
      async (unit) => {
        runs++;
        (await accountIn(unit, 1)).balance = 0;
        throw new RangeError("no");
      },
      { retry: 3 },
    );

    await expect(work).rejects.toThrow(RangeError);
    expect(runs).toBe(1);
    expect(await balancesOf(bank)).toEqual([10]);
  });

  it("may be committed or rolled back by the function itself", async () => {
    const bank = await bankWith(10);
    await bank.unitOfWork(async (unit) => {
      (await accountIn(unit, 1)).balance = 11;
      await unit.commit();
    });
    await bank.unitOfWork(async (unit) => {
      (await accountIn(unit, 1)).balance = 12;
      unit.rollback();
    });

    expect(await balancesOf(bank)).toEqual([11]);
  });

  it("is over when the function is: the unit is of no use after it", async () => {
    const bank = await bankWith(10);
    const unit = await bank.unitOfWork(async (own) => own);

    expect(() => unit.repository(Account)).toThrow("has ended");
  });

  it("is given up by its signal, between two runs too", async () => {
    const bank = await bankWith(10);
    const controller = new AbortController();
    let runs = 0;
    const work = bank.unitOfWork(
      async (unit) => {
        runs++;
        (await accountIn(unit, 1)).balance += 1;
        await bank.repository(Account).patch(1, { balance: runs });
        controller.abort();
      },
      { retry: 5, signal: controller.signal },
    );

    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
    expect(runs).toBe(1);
    expect(await balancesOf(bank)).toEqual([1]);
  });

  it("lets one of many through each time, so that all of them are done in the end", async () => {
    const bank = await bankWith(0);
    const add = (): Promise<void> =>
      bank.unitOfWork(
        async (unit) => {
          (await accountIn(unit, 1)).balance += 1;
        },
        { retry: 20 },
      );

    await Promise.all(Array.from({ length: 20 }, add));

    expect(await balancesOf(bank)).toEqual([20]);
  });

  it.each([-1, 1.5, Number.NaN, 1e9, "3"])("refuses to retry %s times", async (retry) => {
    const bank = await bankWith();
    const work = bank.unitOfWork(async () => 1, { retry: retry as number });

    await expect(work).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("refuses what is no function, and misspelt options", async () => {
    const bank = await bankWith();
    const call = bank.unitOfWork.bind(bank) as (...given: unknown[]) => Promise<unknown>;

    await expect(call({ retry: 3 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(call(async () => 1, { retries: 3 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
