import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";

describe("systemClock", () => {
  it("tells wall time in milliseconds and a monotonic time that never decreases", () => {
    const before = systemClock.monotonicMs();

    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000);
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
  });

  it("runs a scheduled callback once, and not after it was disposed", async () => {
    const ran: string[] = [];

    const cancelled = systemClock.schedule(() => ran.push("cancelled"), 0);
    cancelled[Symbol.dispose]();
    await new Promise<void>((resolve) => {
      systemClock.schedule(() => {
        ran.push("kept");
        resolve();
      }, 0);
      // The timer of the clock does not keep the process alive; this one does.
      setImmediate(() => undefined);
    });

    expect(ran).toEqual(["kept"]);
  });

  it("does not run at once what is due in more days than a timer of Node.js can wait", async () => {
    let ran = 0;

    using _timer = systemClock.schedule(() => ran++, 2 ** 31 + 1_000);
    using _other = systemClock.schedule(() => ran++, 60 * 86_400_000);
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(ran).toBe(0);
  });
});
