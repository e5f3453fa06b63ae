/** The queue before the writer thread. */

import { describe, expect, it, onTestFinished } from "vitest";
import { Writer } from "../../src/sqlite/writer.ts";
import { failureOf, settle, sql, temporaryPath } from "./support.ts";

async function open(): Promise<Writer> {
  const writer = new Writer({ path: temporaryPath(), profile: "durable", busyTimeoutMs: 1_000 });
  onTestFinished(() => writer.close());
  await writer.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
  return writer;
}

const put = (id: number): ReturnType<typeof sql> => sql("INSERT INTO t VALUES (?)", id);

describe("the queue of the writer", () => {
  it("lets a unit and a holder withdraw while they wait", async () => {
    const writer = await open();
    const controller = new AbortController();
    const { signal } = controller;
    const gate = Promise.withResolvers<void>();
    const holding = writer.hold(() => gate.promise);
    let ran = false;

    const unit = failureOf(writer.write([put(1)], { signal }));
    const holder = failureOf(
      writer.hold(
        async () => {
          ran = true;
        },
        { signal },
      ),
    );
    const patient = writer.write([put(2)]);
    controller.abort();
    gate.resolve();
    await Promise.all([holding, patient]);

    expect(await unit).toMatchObject({ code: "ABORTED" });
    expect(await holder).toMatchObject({ code: "ABORTED" });
    expect(ran).toBe(false);
    const [result] = await writer.write([sql("SELECT id FROM t")]);
    expect(result?.rows).toEqual([[2]]);
  });

  it("keeps a unit whose signal fires after it was sent", async () => {
    const writer = await open();
    const controller = new AbortController();

    const unit = writer.write([put(1)], { signal: controller.signal });
    await settle();
    controller.abort();

    expect(await unit).toMatchObject([{ changes: 1 }]);
  });

  it("is bounded: too many callers get BUSY with advice", async () => {
    const writer = await open();
    const gate = Promise.withResolvers<void>();
    const controller = new AbortController();
    const holding = writer.hold(() => gate.promise);
    await settle();
    const waiting = Array.from({ length: 100_000 }, () =>
      failureOf(writer.write([put(1)], { signal: controller.signal })),
    );

    const failure = await failureOf(writer.write([put(2)]));
    controller.abort();
    gate.resolve();
    await Promise.all([holding, ...waiting]);

    expect(failure).toMatchObject({
      code: "BUSY",
      message: expect.stringContaining("Await some of them"),
    });
    await writer.write([put(2)]);
  });

  it("gives the writer to one holder at a time, and back when it throws", async () => {
    const writer = await open();
    const order: string[] = [];
    const holder =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        order.push(`${name} begins`);
        await settle();
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      };

    const outcomes = await Promise.allSettled([
      writer.hold(holder("a")),
      writer.hold(holder("b", true)),
      writer.hold(holder("c")),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("is empty before close resolves", async () => {
    const writer = await open();
    const writes = [1, 2, 3].map((id) => writer.write([put(id)]));

    await writer.close();

    expect((await Promise.all(writes)).length).toBe(3);
    expect(writer.started).toBe(false);
  });

  it("fails its callers while the file cannot be opened, and serves them when it can", async () => {
    const path = `${temporaryPath()}-missing/test.db`;
    const writer = new Writer({ path, profile: "durable", busyTimeoutMs: 100 });
    onTestFinished(() => writer.close());

    const failures = await Promise.all([
      failureOf(writer.write([put(1)])),
      failureOf(writer.hold((send) => send({ kind: "begin", foreignKeys: true }))),
    ]);

    expect(failures.map(({ code }) => code)).toEqual(["UNOPENABLE", "UNOPENABLE"]);
  });
});
