import { isSpringhouseError } from "springhouse";
import { describe, expect, it } from "vitest";
import {
  DURATION_SECONDS_MAX,
  displayDuration,
  parseDuration,
} from "../../examples/auditor/durations.ts";

describe("a duration", () => {
  it("is read from hours, minutes and seconds", () => {
    expect(parseDuration("01:02:03")).toBe(3_723);
    expect(parseDuration(" 0:00:59 ")).toBe(59);
  });

  it("may have more than 99 hours", () => {
    expect(parseDuration("125:00:01")).toBe(450_001);
    expect(displayDuration(450_001)).toBe("125:00:01");
  });

  it("comes back from its display for every number of seconds", () => {
    for (const seconds of [0, 1, 59, 60, 3_599, 3_600, 86_399, 359_999, DURATION_SECONDS_MAX]) {
      expect(parseDuration(displayDuration(seconds))).toBe(seconds);
    }
  });

  it.each(["", "1:2:3", "00:60:00", "00:00:60", "-1:00:00", "1:00", "100000:00:00", "aa:bb:cc"])(
    "is refused as %j",
    (text) => {
      expect(() => parseDuration(text)).toThrow(/is not a duration/);
    },
  );

  it.each([-1, 0.5, Number.NaN, DURATION_SECONDS_MAX + 1])("cannot be shown of %d s", (seconds) => {
    expect(() => displayDuration(seconds)).toThrow(/is not a duration/);
  });

  it("is refused with a code, the value and a reason without the value", () => {
    try {
      parseDuration("soon");
      expect.unreachable();
    } catch (error) {
      if (!isSpringhouseError(error, "VALIDATION")) throw error;

      expect(error.fields).toEqual({ value: "soon" });
      expect(error.issues[0]?.message).not.toContain("soon");
    }
  });
});
