import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Account,
  accountIn,
  type Bank,
  balancesOf,
  openBank,
  Transfer,
} from "./conflict-support.ts";

/** What one unit does. It decides by balances that others change at the same time. */
interface Order {
  readonly fromId: number;
  readonly toId: number;
  /** The part that is moved, if the account that is looked at has more than `least`. */
  readonly parts: number;
  readonly lookedAt: number;
  readonly least: number;
}

const ACCOUNTS = 4;
const START = 1_000;

const account = fc.integer({ min: 1, max: ACCOUNTS });
const order: fc.Arbitrary<Order> = fc.record({
  fromId: account,
  toId: account,
  parts: fc.integer({ min: 2, max: 5 }),
  lookedAt: account,
  least: fc.integer({ min: 0, max: 2 * START }),
});

/** How much an order moves, given the balances that it finds. */
function amountOf({ fromId, parts, lookedAt, least }: Order, balances: readonly number[]): number {
  const [from = 0, looked = 0] = [balances[fromId - 1], balances[lookedAt - 1]];
  return looked > least ? Math.trunc(from / parts) : 0;
}

/** Runs an order as a unit, again and again until it is committed; `onRun` counts. */
async function place(
  bank: Bank,
  given: Order,
  orderedBy: number,
  onRun: () => void,
): Promise<void> {
  await bank.unitOfWork(
    async (unit) => {
      onRun();
      const balances: number[] = [];
      for (const id of new Set([given.fromId, given.lookedAt])) {
        balances[id - 1] = (await accountIn(unit, id)).balance;
      }
      const amount = amountOf(given, balances);
      (await accountIn(unit, given.fromId)).balance -= amount;
      (await accountIn(unit, given.toId)).balance += amount;
      const { fromId, toId } = given;
      await unit.repository(Transfer).add({ fromId, toId, amount, orderedBy });
    },
    { retry: 100 },
  );
}

/** The balances and amounts when the orders come one after the other. */
function runSerially(orders: readonly Order[]): { balances: number[]; amounts: number[] } {
  const balances = Array.from({ length: ACCOUNTS }, () => START);
  const amounts = orders.map((each) => {
    const amount = amountOf(each, balances);
    balances[each.fromId - 1] = (balances[each.fromId - 1] ?? 0) - amount;
    balances[each.toId - 1] = (balances[each.toId - 1] ?? 0) + amount;
    return amount;
  });
  return { balances, amounts };
}

describe("units of work at the same time", () => {
  it("come out as if they had run one after the other", async () => {
    let [runs, orders] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(order, { minLength: 2, maxLength: 12 }), async (given) => {
        orders += given.length;
        await using bank = await openBank();
        const rows = Array.from({ length: ACCOUNTS }, () => ({ owner: "Ann", balance: START }));
        await bank.repository(Account).createMany(rows);

        await Promise.all(given.map((each, index) => place(bank, each, index, () => runs++)));

        // The numbers of the rows tell in which order the units were committed.
        const made = await bank.repository(Transfer).list({ orderBy: { id: "asc" } });
        const serial = runSerially(made.map(({ orderedBy }) => given[orderedBy] as Order));
        expect(made).toHaveLength(given.length);
        expect(made.map(({ amount }) => amount)).toEqual(serial.amounts);
        expect(await balancesOf(bank)).toEqual(serial.balances);
        expect(serial.balances.reduce((sum, each) => sum + each)).toBe(ACCOUNTS * START);
      }),
      { numRuns: 25, seed: 5_080 },
    );
    // Otherwise nobody was in anybody's way, and the test says nothing.
    expect(runs).toBeGreaterThan(1.5 * orders);
  });
});
