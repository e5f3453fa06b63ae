import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { Week } from "./support.ts";

const DEADLINE_MS = 250;

/** Rows that come at once, and after them others one by one, for longer than the deadline. */
async function* rows(waitMs: number): AsyncGenerator<{ label: string }> {
  for (let at = 0; at < 500; at++) yield { label: `fast ${at}` };
  for (let at = 0; at * waitMs < 2 * DEADLINE_MS; at++) {
    await setTimeout(waitMs);
    yield { label: `slow ${at}` };
  }
}

test.each([
  { returning: false, hook: false },
  { returning: true, hook: false },
  { returning: false, hook: true },
])("a source that never stalls is waited for however long it takes: %o", async (how) => {
  const permissions = async (): Promise<boolean> => {
    await setTimeout(0);
    return true;
  };
  await using db = await open({
    url: "sqlite::memory:",
    entities: [Week],
    transactionDeadline: `${DEADLINE_MS}ms`,
    ...(how.hook ? { permissions } : {}),
  });

  const created = await db
    .repository(Week)
    .createMany(rows(4), { returning: how.returning as true });

  const count = how.returning ? created.length : (created as unknown as number);
  expect(count).toBe(625);
});

test("a source that stalls is given up", async () => {
  await using db = await open({
    url: "sqlite::memory:",
    entities: [Week],
    transactionDeadline: `${DEADLINE_MS}ms`,
  });

  const created = db.repository(Week).createMany(rows(2 * DEADLINE_MS - 1));

  await expect(created).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
  expect(await db.repository(Week).count()).toBe(0);
});
