import { describe, expect, it } from "vitest";
import { Deadline } from "../../../src/store/sqlite/deadline.ts";
import type { TransactionOptions } from "../../../src/store/store.ts";
import { FakeClock, settle } from "../../sqlite/support.ts";

function start(options: TransactionOptions) {
  const clock = new FakeClock();
  const deadline = new Deadline(clock, 100, options);
  let message = "";
  deadline.reached.catch((error: Error) => {
    message = error.message;
  });
  const pass = async (ms: number): Promise<string> => {
    clock.advance(ms);
    await settle();
    return message;
  };
  return { deadline, pass };
}

describe("a deadline", () => {
  it("for all counts statements and pauses alike", async () => {
    const { deadline, pass } = start({});

    expect(await pass(99)).toBe("");
    await deadline.during(async () => 1);

    expect(await pass(1)).toContain("rolled back after 100 ms");
  });

  it("for pauses begins anew when the last statement under way has ended", async () => {
    const { deadline, pass } = start({ deadlineFor: "pauses" });
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();

    expect(await pass(99)).toBe("");
    void deadline.during(() => first.promise);
    void deadline.during(() => second.promise);
    first.resolve();
    expect(await pass(1_000)).toBe("");
    second.resolve();
    await settle();

    expect(await pass(99)).toBe("");
    expect(await pass(1)).toContain("wrote nothing for 100 ms");
  });

  it("that is over stays over, whatever ends afterwards", async () => {
    const { deadline, pass } = start({ deadlineFor: "pauses" });
    const last = Promise.withResolvers<void>();

    void deadline.during(() => last.promise);
    deadline[Symbol.dispose]();
    last.resolve();
    await settle();

    expect(await pass(1_000)).toBe("");
  });
});
