/** What goes wrong must not reach beyond itself: other transactions, other rows, the process. */

import { expect, it } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const Note = entity("notes", { id: t.int().primaryKey(), text: t.text() });
const options = { url: "sqlite::memory:", entities: [Note] } as const;
const INSERT = "INSERT INTO notes (text) VALUES (?)";

it("rows of a transaction that has timed out fall into no other transaction", async () => {
  await using db = await open(options);
  const gate = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<string[]> {
    for (let round = 0; round < 200; round++) {
      for (let row = 0; row < 1_000; row++) yield ["late"];
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const late = db
    .transaction((tx) => tx.executeMany(INSERT, endless()), { deadline: "50ms" })
    .finally(() => gate.resolve());
  const other = db.transaction(
    async (tx) => {
      await tx.execute(INSERT, ["other"]);
      await gate.promise;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
    { deadline: "20s" },
  );

  await expect(late).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
  await other;
  expect((await db.execute("SELECT DISTINCT text FROM notes")).rows).toEqual([{ text: "other" }]);
});

it("a signal that has fired before a transaction begins lets nothing of it happen", async () => {
  await using db = await open(options);

  const aborted = db.transaction((tx) => tx.execute(INSERT, ["a"]), {
    signal: AbortSignal.abort(),
  });

  await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  expect(await db.repository(Note).count()).toBe(0);
});

it("an aborted read leaves no failure behind that could end the process", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  await using db = await open(options);

  for (let round = 0; round < 200; round++) {
    const controller = new AbortController();
    const reading = db.repository(Note).list({ signal: controller.signal });
    for (let turn = 0; turn < round % 8; turn++) await Promise.resolve();
    controller.abort();
    await reading.catch(() => undefined);
  }
  await new Promise((resolve) => setImmediate(resolve));

  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});

it.each([new Map([["id", 1]]), new Date(0), new Set([1])])(
  "%s is no condition, and deletes nothing",
  async (where) => {
    await using db = await open(options);
    await db.repository(Note).create({ text: "kept" });

    await expect(db.repository(Note).deleteMany(where as never)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });

    expect(await db.repository(Note).count()).toBe(1);
  },
);

it.each([{ where: undefined }, { where: null }, undefined, null, 1])(
  "a permissions hook that answers %j denies",
  async (decision) => {
    await using db = await open({ ...options, permissions: () => decision as never });

    await expect(db.repository(Note).list()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  },
);
