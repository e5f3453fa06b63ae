/** Bytes that a call is given: it keeps what they were at the call, whatever comes of the buffer. */

import { expect, it } from "vitest";
import type { Database } from "../../src/open/database.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const File = entity("files", { id: t.int().primaryKey(), content: t.blob() });
const INSERT = "INSERT INTO files (content) VALUES (?)";
const GIVEN = new Uint8Array([1, 2, 3]);

type Files = Database<readonly [typeof File]>;

const openFiles = (): Promise<Files> => open({ url: "sqlite::memory:", entities: [File] });

/** Takes the buffer away from its bytes. */
function transfer(bytes: Uint8Array<ArrayBuffer>): void {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
}

const contents = async (db: Files): Promise<unknown[]> =>
  (await db.repository(File).list()).map(({ content }) => content);

const ways: Record<string, (db: Files, content: Uint8Array) => Promise<unknown>> = {
  execute: (db, content) => db.execute(INSERT, [content]),
  create: (db, content) => db.repository(File).create({ content }),
  createMany: (db, content) => db.repository(File).createMany([{ content }]),
  Kysely: (db, content) => db.query.insertInto("files").values({ content }).execute(),
};

it.each(Object.keys(ways))("%s writes the bytes that it was given", async (way) => {
  await using db = await openFiles();
  const write = ways[way] as (typeof ways)[string];
  const filled = GIVEN.slice();
  const transferred = GIVEN.slice();
  const part = Buffer.from([0, ...GIVEN]).subarray(1);

  const writes = [filled, transferred, part].map((content) => write(db, content));
  filled.fill(9);
  part.fill(9);
  transfer(transferred);
  await Promise.all(writes);

  expect(await contents(db)).toEqual([GIVEN, GIVEN, GIVEN]);
});

it("inside a transaction too, for reads as for writes", async () => {
  await using db = await openFiles();
  await db.transaction(async (tx) => {
    const content = GIVEN.slice();
    const writing = tx.execute(INSERT, [content]);
    content.fill(9);
    await writing;
    content.set(GIVEN);
    const reading = tx.execute("SELECT count(*) AS n FROM files WHERE content = ?", [content]);
    transfer(content);
    expect((await reading).rows).toEqual([{ n: 1 }]);
  });

  expect(await contents(db)).toEqual([GIVEN]);
});

it("a bulk write may be given the same buffer for each row", async () => {
  await using db = await openFiles();
  function* rows(): Generator<Uint8Array[]> {
    const content = new Uint8Array(1);
    for (content[0] = 0; content[0] < 3; content[0]++) yield [content];
  }

  await db.executeMany(INSERT, rows());

  expect(await contents(db)).toEqual([0, 1, 2].map((byte) => new Uint8Array([byte])));
});

it("bytes that were transferred before the call fail that call alone", async () => {
  await using db = await openFiles();
  const gone = GIVEN.slice();
  transfer(gone);

  const outcomes = await Promise.allSettled([
    db.execute(INSERT, [GIVEN]),
    db.execute(INSERT, [gone]),
    db.query.insertInto("files").values({ content: gone }).execute(),
    db.executeMany(INSERT, [[gone]]),
    db.execute("SELECT * FROM files WHERE content = ?", [gone]),
    db.repository(File).create({ content: gone }),
    db.repository(File).create({ content: GIVEN }),
  ]);

  const refused = expect.objectContaining({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining("was transferred away"),
  });
  expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([
    ...[true, false, false, false, false, false, true],
  ]);
  for (const outcome of outcomes.slice(1, 5)) expect(outcome).toHaveProperty("reason", refused);
  expect(outcomes[5]).toHaveProperty("reason.code", "VALIDATION");
  expect(await contents(db)).toEqual([GIVEN, GIVEN]);
});
