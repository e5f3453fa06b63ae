import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import type { SpringhouseError } from "../../src/core/errors.ts";
import { circuitChannel } from "../../src/resilience/channels.ts";
import { type Guard, guard } from "../../src/resilience/guard.ts";

const fail = (): Promise<never> => Promise.reject(new Error("down"));
const never = (): Promise<never> => new Promise(() => undefined);
/** As many turns of the event loop as promises between two policies take. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function failTimes(guarded: Guard, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await guarded.execute(fail).catch(() => undefined);
}

describe("a guarded call", () => {
  it("gives what it gives and throws what it throws", async () => {
    const plain = guard();
    const error = new Error("down");

    const value = await plain.execute(({ attempt }) => ({ attempt }));

    expect(value).toEqual({ attempt: 1 });
    await expect(plain.execute(() => Promise.reject(error))).rejects.toBe(error);
    await expect(
      plain.execute(() => {
        throw error;
      }),
    ).rejects.toBe(error);
  });

  it.each([
    [{ timout: 1 }, 'guard: unknown option "timout". Did you mean "timeout"?'],
    [{ retry: { attemps: 1 } }, 'guard retry: unknown option "attemps"'],
    [{ circuitBreaker: { failure: 1 } }, 'guard circuitBreaker: unknown option "failure"'],
    [{ bulkhead: { size: 1 } }, 'guard bulkhead: unknown option "size"'],
    [{ timeout: "soon" }, "timeout"],
    [{ timeout: 0 }, "guard timeout: 0 is refused"],
    [{ retry: { attempts: 0 } }, "guard retry.attempts: 0 is refused"],
    [{ circuitBreaker: { failureRate: 1 } }, "guard circuitBreaker.failureRate: 1 is refused"],
    [{ bulkhead: { maxQueued: -1 } }, "guard bulkhead.maxQueued: -1 is refused"],
    [{ isFailure: true }, "guard isFailure: true is refused"],
    [{ classify: 5 }, "guard classify: 5 is refused"],
    [{ classify: () => "busy", isFailure: () => true }, "Give it or classify, not both"],
  ])("is refused with %j", (options, message) => {
    expect(() => guard(options as never)).toThrow(message);
  });

  it("is counted, until the counters are set back", async () => {
    const guarded = guard({ retry: { attempts: 2, delay: 0 } });
    let calls = 0;
    await guarded.execute(() => (calls++ === 0 ? fail() : "yes"));
    await failTimes(guarded, 1);
    await guarded.execute(never, { signal: AbortSignal.abort() }).catch(() => undefined);

    const before = guarded.statistics();
    guarded.resetStatistics();

    expect(before).toMatchObject({ calls: 2, successes: 1, failures: 1, retries: 2, running: 0 });
    expect(guarded.statistics()).toMatchObject({ calls: 0, successes: 0, retries: 0 });
  });
});

describe("a timeout", () => {
  it("ends an attempt that hangs and fires its signal", async () => {
    const guarded = guard({ name: "api", timeout: 1 });
    let signal: AbortSignal | undefined;

    const call = guarded.execute((context) => {
      signal = context.signal;
      return never();
    });

    await expect(call).rejects.toMatchObject({
      code: "TIMEOUT",
      message: expect.stringContaining("api took longer than 1 ms"),
      fields: { guard: "api", timeoutMs: 1 },
    });
    expect(signal?.aborted).toBe(true);
    expect(guarded.statistics()).toMatchObject({ timeouts: 1, failures: 1 });
  });

  it("leaves the signal of what came in time alone, which may be a stream", async () => {
    let signal: AbortSignal | undefined;

    await guard({ timeout: "1m" }).execute((context) => {
      signal = context.signal;
    });
    await settled();

    expect(signal?.aborted).toBe(false);
  });

  it("is a failure, whatever is one otherwise", async () => {
    const guarded = guard({ timeout: 1, circuitBreaker: { failures: 1 }, isFailure: () => false });

    const error = await guarded.execute(never).catch((thrown: unknown) => thrown);

    expect(guarded.isFailure(error)).toBe(true);
    expect(guarded.state).toBe("open");
  });

  it("is each attempt's own", async () => {
    const guarded = guard({ timeout: 1, retry: { attempts: 3, delay: 0 } });

    const value = await guarded.execute(({ attempt }) => (attempt < 3 ? never() : attempt));

    expect(value).toBe(3);
    expect(guarded.statistics()).toMatchObject({ timeouts: 2, retries: 2, successes: 1 });
  });
});

describe("a retry", () => {
  it("tries as often as it may, and throws the last failure", async () => {
    const guarded = guard({ retry: { attempts: 3, delay: 0 } });
    const attempts: number[] = [];

    const call = guarded.execute(({ attempt }) => {
      attempts.push(attempt);
      throw new Error(`down ${attempt}`);
    });

    await expect(call).rejects.toThrow("down 3");
    expect(attempts).toEqual([1, 2, 3]);
  });

  it("does not repeat what is an answer", async () => {
    const isFailure = (error: unknown): boolean => !(error instanceof RangeError);
    const guarded = guard({ retry: { delay: 0 }, circuitBreaker: { failures: 1 }, isFailure });

    const call = guarded.execute(() => Promise.reject(new RangeError("no such user")));

    await expect(call).rejects.toThrow("no such user");
    expect(guarded.statistics()).toMatchObject({ retries: 0, state: "closed" });
    expect(guarded.isFailure(new RangeError())).toBe(false);
    expect(guarded.isFailure(new Error())).toBe(true);
  });

  it("is given up by the signal in the pause, and gives its place away", async () => {
    const guarded = guard({
      retry: { delay: "1h", maxDelay: "1h" },
      bulkhead: { maxConcurrent: 1 },
    });
    const given = new AbortController();
    let calls = 0;
    const call = guarded.execute(
      () => {
        calls++;
        return fail();
      },
      { signal: given.signal },
    );
    while (calls === 0) await settled();

    given.abort();

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect([calls, await guarded.execute(() => "next")]).toEqual([1, "next"]);
    expect(guarded.statistics()).toMatchObject({ aborted: 1, failures: 0, running: 0 });
  });
});

describe("a circuit", () => {
  it("opens after failures in a row, and lets nothing through", async () => {
    const guarded = guard({ name: "api", circuitBreaker: { failures: 2, pause: "1m" } });
    await failTimes(guarded, 1);
    await guarded.execute(() => "yes");
    await failTimes(guarded, 2);
    let called = false;

    const call = guarded.execute(() => {
      called = true;
    });

    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CIRCUIT_OPEN", cause: { message: "down" } });
    const { retryAfterMs } = (error as SpringhouseError).fields;
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(called).toBe(false);
    expect(guarded.statistics()).toMatchObject({ state: "open", rejectedByCircuit: 1 });
  });

  it("opens when too large a part fails", async () => {
    const guarded = guard({ circuitBreaker: { failureRate: 0.5, calls: 4 } });
    await guarded.execute(() => 1);
    await failTimes(guarded, 2);
    const before = guarded.state;

    await failTimes(guarded, 1);

    expect([before, guarded.state]).toEqual(["closed", "open"]);
  });

  it("lets one call try after its pause, which closes it, and tells of it", async () => {
    const states: unknown[] = [];
    const listen = (event: unknown): void => void states.push(event);
    subscribe(circuitChannel.name as string, listen);
    const guarded = guard({ name: "api", circuitBreaker: { failures: 1, pause: 0 } });
    await failTimes(guarded, 2);

    const value = await guarded.execute(() => "yes");
    unsubscribe(circuitChannel.name as string, listen);

    expect([value, guarded.state]).toEqual(["yes", "closed"]);
    expect(states).toEqual(
      ["open", "half-open", "open", "half-open", "closed"].map((state) => ({
        guard: "api",
        state,
      })),
    );
  });

  it("stays open when the call that was to try is given up", async () => {
    const guarded = guard({ circuitBreaker: { failures: 1, pause: 0 } });
    await failTimes(guarded, 1);
    const given = new AbortController();
    const call = guarded.execute(never, { signal: given.signal });
    await settled();
    const trying = guarded.state;

    given.abort();

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect([trying, guarded.state]).toEqual(["half-open", "open"]);
  });

  it("lets go of a call that waits for another to decide, when it is given up", async () => {
    const guarded = guard({ circuitBreaker: { failures: 1, pause: 0 } });
    await failTimes(guarded, 1);
    const trying = Promise.withResolvers<string>();
    const given = new AbortController();
    const first = guarded.execute(() => trying.promise);
    await settled();
    const waiting = guarded.execute(() => "waited", { signal: given.signal });
    await settled();

    given.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    trying.resolve("tried");

    expect([await first, guarded.state]).toEqual(["tried", "closed"]);
  });

  it("is not opened by calls that are given up", async () => {
    const guarded = guard({ circuitBreaker: { failures: 1 } });
    const given = new AbortController();
    const call = guarded.execute(never, { signal: given.signal });
    await settled();

    given.abort();

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect(guarded.state).toBe("closed");
  });

  it("ends the attempts of a call when it opens", async () => {
    const guarded = guard({
      retry: { attempts: 10, delay: 0 },
      circuitBreaker: { failures: 2, pause: "1m" },
    });
    let calls = 0;

    const call = guarded.execute(() => {
      calls++;
      return fail();
    });

    await expect(call).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    expect(calls).toBe(2);
  });
});

describe("a bulkhead", () => {
  it("lets so many calls at once, has so many wait and refuses the rest", async () => {
    const guarded = guard({ bulkhead: { maxConcurrent: 1, maxQueued: 1 } });
    const first = Promise.withResolvers<string>();
    const begun: string[] = [];
    const call = (name: string) =>
      guarded.execute(() => {
        begun.push(name);
        return name === "first" ? first.promise : name;
      });

    const calls = [call("first"), call("second"), call("third")];
    const third = await calls[2]?.catch((error: unknown) => error);
    const before = [...begun];
    first.resolve("done");

    expect(third).toMatchObject({ code: "BULKHEAD_FULL", fields: { maxConcurrent: 1 } });
    expect(before).toEqual(["first"]);
    expect(await Promise.all(calls.slice(0, 2))).toEqual(["done", "second"]);
    expect(guarded.statistics()).toMatchObject({ rejectedByBulkhead: 1, successes: 2 });
  });

  it("lets go of a call that waits and is given up, and never makes it", async () => {
    const guarded = guard({ bulkhead: { maxConcurrent: 1 } });
    const first = Promise.withResolvers<void>();
    const given = new AbortController();
    let called = false;
    const running = guarded.execute(() => first.promise);
    const waiting = guarded.execute(
      () => {
        called = true;
      },
      { signal: given.signal },
    );
    await settled();

    given.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    first.resolve();
    await running;
    await settled();

    expect(called).toBe(false);
  });

  it("gives the place in the line of a call that is given up to another", async () => {
    const guarded = guard({ bulkhead: { maxConcurrent: 1, maxQueued: 1 } });
    const first = Promise.withResolvers<string>();
    const given = new AbortController();
    const calls = [guarded.execute(() => first.promise)];
    const impatient = guarded.execute(() => "impatient", { signal: given.signal });
    await settled();
    const before = guarded.statistics();

    given.abort();
    await expect(impatient).rejects.toMatchObject({ code: "ABORTED" });
    calls.push(guarded.execute(() => "second"));
    await settled();
    first.resolve("first");

    expect(before).toMatchObject({ running: 1, queued: 1 });
    expect(await Promise.all(calls)).toEqual(["first", "second"]);
    expect(guarded.statistics()).toMatchObject({ running: 0, queued: 0, rejectedByBulkhead: 0 });
  });

  it("never refuses a call that has waited, whoever comes meanwhile", async () => {
    const guarded = guard({ bulkhead: { maxConcurrent: 1, maxQueued: 1 } });
    const first = Promise.withResolvers<void>();
    const waited = [guarded.execute(() => first.promise), guarded.execute(() => "waited")];
    await settled();

    // Others come in each of the turns in which the place is handed on.
    first.resolve();
    for (let turn = 0; turn < 20; turn++) {
      await Promise.resolve();
      guarded.execute(() => "other").catch(() => undefined);
    }

    expect((await Promise.allSettled(waited)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
    ]);
  });

  it("gives the place of a call that is given up to the next", async () => {
    const guarded = guard({ bulkhead: { maxConcurrent: 1 } });
    const given = new AbortController();
    const hanging = guarded.execute(never, { signal: given.signal });
    const next = guarded.execute(() => "next");
    await settled();

    given.abort();

    await expect(hanging).rejects.toMatchObject({ code: "ABORTED" });
    expect(await next).toBe("next");
  });
});
