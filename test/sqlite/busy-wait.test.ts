import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { awaitWhileBusy, retryWhileBusy } from "../../src/sqlite/busy-wait.ts";
import { FakeClock, failureOf, settle } from "./support.ts";

const busy = new SpringhouseError("BUSY", "locked");

describe("waiting for the write lock", () => {
  it("goes on until the lock is free, at intervals around a millisecond", () => {
    const pauses: number[] = [];
    let attempts = 0;

    const result = retryWhileBusy(
      () => {
        if (++attempts < 5) throw busy;
        return "mine";
      },
      60_000,
      (ms) => pauses.push(ms),
    );

    expect(result).toBe("mine");
    expect(pauses.length).toBe(4);
    for (const ms of pauses) {
      expect(ms).toBeGreaterThanOrEqual(0.5);
      expect(ms).toBeLessThan(1.5);
    }
  });

  it("ends with BUSY when the time is over", () => {
    let attempts = 0;
    const attempt = (): never => {
      attempts++;
      throw busy;
    };

    expect(() => retryWhileBusy(attempt, 0)).toThrow(busy);
    expect(attempts).toBe(1);
    expect(() => retryWhileBusy(attempt, 5)).toThrow(busy);
    expect(attempts).toBeGreaterThan(2);
  });

  it("does not repeat what failed for another reason", () => {
    let attempts = 0;

    expect(() =>
      retryWhileBusy(() => {
        attempts++;
        throw new SpringhouseError("SQL", "wrong");
      }, 60_000),
    ).toThrow("wrong");
    expect(attempts).toBe(1);
  });
});

describe("waiting on the main thread", () => {
  it("tries again at intervals, and ends with BUSY when the time is over", async () => {
    const clock = new FakeClock();
    let attempts = 0;
    const attempt = (): string => {
      if (++attempts < 3) throw busy;
      return "mine";
    };

    const patient = awaitWhileBusy(attempt, 60_000, clock);
    await settle();
    expect(attempts).toBe(1);
    clock.advance(1.5);
    await settle();
    clock.advance(1.5);
    expect(await patient).toBe("mine");

    attempts = -1_000;
    const hopeless = failureOf(awaitWhileBusy(attempt, 4, clock));
    for (let pause = 0; pause < 4; pause++) {
      clock.advance(1.5);
      await settle();
    }
    expect(await hopeless).toBe(busy);
  });
});
