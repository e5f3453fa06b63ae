import { describe, expect, it } from "vitest";
import { serverSentEvents } from "../../src/coherence/server-sent-events.ts";
import { openWeeks, Task } from "./support.ts";

async function openStream(options: { key?: string; signal?: AbortSignal } = {}) {
  const { db } = await openWeeks();
  const rows = db.cached("rows", (q) =>
    q.selectFrom("tasks").select(["id", "seconds"]).orderBy("id").execute(),
  );
  const query = db.live(rows);
  const reader = serverSentEvents(query, options).getReader();
  const read = async (): Promise<string | undefined> => {
    const { value } = await reader.read();
    return value === undefined ? undefined : new TextDecoder().decode(value);
  };
  return { db, reader, read };
}

describe("a live query as server-sent events", () => {
  it("is whole results, or differences by key", async () => {
    const whole = await openStream();
    const differences = await openStream({ key: "id" });
    expect(await whole.read()).toMatch(/^event: full\ndata: \{"value":\[\{"id":1,"seconds":10\},/);
    expect(await differences.read()).toMatch(/^event: full\n/);

    await whole.db.repository(Task).delete(1);
    await differences.db.repository(Task).delete(1);

    expect(await whole.read()).toMatch(/^event: full\ndata: \{"value":\[\{"id":2,/);
    expect(await differences.read()).toBe(
      'event: diff\ndata: {"removed":[1],"inserted":[],"updated":[]}\n\n',
    );
    await whole.reader.cancel();
    await differences.reader.cancel();
  });

  it("ends with its signal, and with the database", async () => {
    const controller = new AbortController();
    const aborted = await openStream({ signal: controller.signal });
    const closed = await openStream();
    await aborted.read();
    await closed.read();

    controller.abort();
    await closed.db.close();

    expect(await aborted.read()).toBe(undefined);
    expect(await closed.read()).toBe('event: failure\ndata: {"code":"CLOSED"}\n\n');
    expect(await closed.read()).toBe(undefined);
  });
});
