/** The queue before the writer thread. */

import { describe, expect, it, onTestFinished } from "vitest";
import type { WireResult } from "../../src/sqlite/protocol.ts";
import type { CallOptions, ResultSet, Statement } from "../../src/sqlite/values.ts";
import { type UnitOwner, Writer } from "../../src/sqlite/writer.ts";
import { failureOf, settle, sql, temporaryPath } from "./support.ts";

/** Whoever has units written, with a count of those that have not ended. */
class Owner implements UnitOwner {
  open = 0;

  publishUnit(_: unknown, results: readonly WireResult[]): readonly WireResult[] {
    return results;
  }

  unitEnded(): void {
    this.open--;
  }
}

const owner = new Owner();

/** A writer whose units have an owner; at the end of the test each has ended exactly once. */
class OwnedWriter extends Writer {
  async put(unit: readonly Statement[], options?: CallOptions): Promise<readonly ResultSet[]> {
    owner.open++;
    return this.write(unit, owner, options);
  }
}

async function open(path = temporaryPath()): Promise<OwnedWriter> {
  const writer = new OwnedWriter(() => ({ path, profile: "durable", busyTimeoutMs: 1_000 }));
  onTestFinished(async () => {
    await writer.close();
    expect(owner.open).toBe(0);
  });
  await writer.put([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]).catch(() => undefined);
  return writer;
}

const failedCode = (error: { readonly code?: string }): string | undefined => error.code;
const put = (id: number): ReturnType<typeof sql> => sql("INSERT INTO t VALUES (?)", id);

describe("the queue of the writer", () => {
  it("lets a unit and a holder withdraw while they wait", async () => {
    const writer = await open();
    const controller = new AbortController();
    const { signal } = controller;
    const gate = Promise.withResolvers<void>();
    const holding = writer.hold(() => gate.promise);
    let ran = false;

    const unit = failureOf(writer.put([put(1)], { signal }));
    const holder = failureOf(
      writer.hold(
        async () => {
          ran = true;
        },
        { signal },
      ),
    );
    const patient = writer.put([put(2)]);
    controller.abort();
    gate.resolve();
    await Promise.all([holding, patient]);

    expect(await unit).toMatchObject({ code: "ABORTED" });
    expect(await holder).toMatchObject({ code: "ABORTED" });
    expect(ran).toBe(false);
    const [result] = await writer.put([sql("SELECT id FROM t")]);
    expect(result?.rows).toEqual([[2]]);
  });

  it("writes a unit whose signal fires after it was sent, or says that it did not", async () => {
    const writer = await open();
    const counts: unknown[] = [];
    let kept = 0;

    for (let id = 0; id < 100; id++) {
      const controller = new AbortController();
      const unit = writer.put([put(id)], { signal: controller.signal });
      await settle();
      controller.abort();
      const outcome = await unit.then(() => "kept", failedCode);
      counts.push(outcome);
      if (outcome === "kept") kept++;
    }

    expect(counts.every((outcome) => outcome === "kept" || outcome === "ABORTED")).toBe(true);
    const [result] = await writer.put([sql("SELECT count(*) FROM t")]);
    expect(result?.rows).toEqual([[kept]]);
  });

  it("is bounded: too many callers get BUSY with advice", async () => {
    const writer = await open();
    const gate = Promise.withResolvers<void>();
    const controller = new AbortController();
    const holding = writer.hold(() => gate.promise);
    await settle();
    const waiting = Array.from({ length: 100_000 }, () =>
      failureOf(writer.put([put(1)], { signal: controller.signal })),
    );

    const failure = await failureOf(writer.put([put(2)]));
    controller.abort();
    gate.resolve();
    await Promise.all([holding, ...waiting]);

    expect(failure).toMatchObject({
      code: "BUSY",
      message: expect.stringContaining("Await some of them"),
    });
    await writer.put([put(2)]);
  });

  it("ends each unit once, also when its thread dies with it", async () => {
    const writer = await open();
    const slow = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)";

    const lost = failureOf(writer.put([sql(`${slow} INSERT INTO t SELECT i FROM n`)]));
    await settle();
    await writer.terminate();

    expect(await lost).toMatchObject({ code: "WORKER_DIED" });
    expect(owner.open).toBe(0);
  });

  it("writes a unit that is too large for one message, or nothing of it", async () => {
    const writer = await open();
    const many = Array.from({ length: 2_500 }, (_, id) => put(id));

    expect(await failureOf(writer.put([...many, put(1)]))).toMatchObject({ code: "CONSTRAINT" });
    expect((await writer.put(many)).length).toBe(2_500);
    expect(owner.open).toBe(0);
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
    const writes = [1, 2, 3].map((id) => writer.put([put(id)]));

    await writer.close();

    expect((await Promise.all(writes)).length).toBe(3);
    expect(writer.started).toBe(false);
  });

  it("fails its callers while the file cannot be opened, and serves them when it can", async () => {
    const path = `${temporaryPath()}-missing/test.db`;
    const writer = await open(path);

    const failures = await Promise.all([
      failureOf(writer.put([put(1)])),
      failureOf(writer.hold((send) => send({ kind: "begin", foreignKeys: true }))),
    ]);

    expect(failures.map(({ code }) => code)).toEqual(["UNOPENABLE", "UNOPENABLE"]);
  });
});
