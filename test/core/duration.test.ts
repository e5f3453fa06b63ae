import { describe, expect, it } from "vitest";
import { formatAge, formatDuration, parseDurationMs } from "../../src/core/duration.ts";
import { isSpringhouseError } from "../../src/core/errors.ts";

describe("parseDurationMs", () => {
  it.each([
    [250, 250],
    [0, 0],
    ["250ms", 250],
    ["5s", 5_000],
    ["1.5m", 90_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
  ] as const)("reads %s as %d ms", (text, ms) => {
    expect(parseDurationMs(text, "timeout")).toBe(ms);
  });

  it.each(["", "5", "5 s", "s", "-5s", "5s!", "1h 30m", -1, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses %s, naming the option and the accepted forms",
    (value) => {
      expect(() => parseDurationMs(value, "timeout")).toThrow(
        /^timeout: .* is not a duration.*"5s"/,
      );
    },
  );

  it("gives the code and the value for a program to act on", () => {
    try {
      parseDurationMs("soon", "timeout");
      expect.unreachable();
    } catch (error) {
      expect(isSpringhouseError(error, "INVALID_ARGUMENT")).toBe(true);
      expect(error).toMatchObject({ fields: { name: "timeout", value: "soon" } });
    }
  });
});

describe("formatDuration", () => {
  it.each([
    [0.0123, "12 µs"],
    [1.234, "1.23 ms"],
    [12.34, "12.3 ms"],
    [3_200, "3.20 s"],
    [125_000, "2 m 05 s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("formatAge", () => {
  it.each([
    [0.4, "0 ms"],
    [999, "999 ms"],
    [90_000, "90 s"],
    [120_000, "2 min"],
    [26 * 3_600_000, "26 h"],
    [86_400_000 * 3.9, "3 days"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });
});
