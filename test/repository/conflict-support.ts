/** Accounts in a file of their own, for the tests of what units of work expect. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { isSpringhouseError, type SpringhouseError } from "../../src/core/errors.ts";
import type { Database } from "../../src/open/database.ts";
import type { OpenOptions } from "../../src/open/options.ts";
import { open } from "../../src/open.ts";
import type { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import type { Mutable } from "../../src/repository/unit-repository.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

export const Account = entity("accounts", {
  id: t.int().primaryKey(),
  owner: t.text(),
  balance: t.int().default(0),
});

/** One row for each transfer, numbered in the order in which they were committed. */
export const Transfer = entity("transfers", {
  id: t.int().primaryKey(),
  fromId: t.int(),
  toId: t.int(),
  amount: t.int(),
  /** What it was made for, in tests that need to know. */
  orderedBy: t.int().default(0),
});

export const entities = [Account, Transfer] as const;
export type Bank = Database<typeof entities>;
export type Unit = UnitOfWork<typeof entities>;

/** A path that is removed when the test is over. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-conflict-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "bank.db");
}

/** Opens a bank until the test is over. */
export async function openBank(
  path: string = temporaryFile(),
  options: Partial<OpenOptions<typeof entities>> = {},
): Promise<Bank> {
  const bank = await open({ url: `sqlite:${path}`, entities, profile: "fast", ...options });
  onTestFinished(() => bank.close());
  return bank as unknown as Bank;
}

/** A bank with accounts 1, 2, … of these balances, all of Ann's. */
export async function bankWith(...amounts: number[]): Promise<Bank> {
  const bank = await openBank();
  const rows = amounts.map((balance) => ({ owner: "Ann", balance }));
  await bank.repository(Account).createMany(rows);
  return bank;
}

export async function accountIn(unit: Unit, id: number): Promise<Mutable<typeof Account>> {
  const account = await unit.repository(Account).get(id);
  if (account === undefined) throw new Error(`There is no account ${id}.`);
  return account;
}

/** All balances, by account. */
export async function balancesOf(bank: Bank): Promise<number[]> {
  const rows = await bank.repository(Account).list({ orderBy: { id: "asc" }, limit: 1_000 });
  return rows.map(({ balance }) => balance);
}

/** The conflict that a promise ends with; undefined when it ends well. */
export async function conflictOf(work: Promise<unknown>): Promise<SpringhouseError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isSpringhouseError(error, "CONFLICT")) return error;
    throw error;
  }
}
