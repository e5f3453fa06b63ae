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
    .transaction((tx) => tx.executeMany(INSERT, endless()), { deadline: "500ms" })
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

const Logged = entity("logged", { id: t.int().primaryKey(), text: t.text() }, { audit: true });

it.each(["returned", "listened to", "logged", "as statements"])(
  "a stalled source of rows that are %s does not hold the writer",
  async (how) => {
    const own = { entities: [Logged], transactionDeadline: "1s" } as const;
    await using db = await open({ ...options, ...own });
    async function* source<T>(row: T): AsyncGenerator<T> {
      for (let count = 0; count < 1_000; count++) yield row;
      await new Promise<never>(() => undefined);
    }
    const ann = db.as("ann");
    const rows = ann.repository(Logged);
    if (how === "listened to") db.on("loggedCreated", () => undefined);

    const writing =
      how === "as statements"
        ? ann.executeMany("INSERT INTO logged (text) VALUES (?)", source(["a"]))
        : rows.createMany(source({ text: "a" }), { returning: how === "returned" } as object);
    await expect(writing).rejects.toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      message: expect.stringContaining("Gather the rows first"),
    });
    await db.execute("INSERT INTO logged (text) VALUES ('other')");

    expect((await db.execute("SELECT text FROM logged")).rows).toEqual([{ text: "other" }]);
  },
);

it("rows can be created and returned inside of a transaction", async () => {
  await using db = await open(options);

  const rows = await db.transaction((tx) =>
    tx.repository(Note).createMany([{ text: "a" }, { text: "b" }], { returning: true }),
  );

  expect(rows.map(({ text }) => text)).toEqual(["a", "b"]);
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
