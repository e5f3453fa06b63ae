import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { retryWhileBusy } from "../../src/sqlite/busy-wait.ts";

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
