import { describe, expect, it } from "vitest";
import { cacheKeyOf, parseDay, parseMoment } from "../../../examples/burndown/moments.ts";
import { addWeeks, mondayOf, parseWeek, weekOf } from "../../../examples/burndown/weeks.ts";

describe("a moment", () => {
  it.each([
    ["2025-12-23T10:00:00Z", "2025-12-23T10:00:00.000Z"],
    ["2025-12-23T10:00:00.123456", "2025-12-23T10:00:00.123Z"],
    ["2025-12-23 10:00", "2025-12-23T10:00:00.000Z"],
    ["2025-12-23T10:00:00.5+02:00", "2025-12-23T08:00:00.500Z"],
    ["2012-05-16T07:56:13.000+0000", "2012-05-16T07:56:13.000Z"],
    ["2024-01-01T00:30:00-0530", "2024-01-01T06:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("%s is %s", (text, moment) => {
    expect(parseMoment(text)).toBe(moment);
  });

  it.each([
    "",
    "now",
    "2025-02-29",
    "2025-13-01",
    "2025-12-23T24:00:00",
    "2025-12-23T10:00:00+99:00",
  ])("is not %j", (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });

  it("keeps its day as it was written, whatever its offset", () => {
    expect(parseDay("2025-12-01T23:30:00-05:00")).toBe("2025-12-01");
  });
});

describe("an ISO week", () => {
  it.each([
    ["2025-44", "2025-W44"],
    ["2025-4", "2025-W04"],
    ["2025-W04", "2025-W04"],
    ["2020-W53", "2020-W53"],
    ["2021-W53", undefined],
    ["2025-W00", undefined],
    ["W44", undefined],
  ])("%s is %s", (text, week) => {
    expect(parseWeek(text)).toBe(week);
  });

  it("belongs to the year of its Thursday", () => {
    expect(weekOf("2024-12-30")).toBe("2025-W01");
    expect(weekOf("2021-01-03T23:59:59.999Z")).toBe("2020-W53");
    expect(mondayOf("2020-W53")).toBe("2020-12-28");
    expect(addWeeks("2020-W53", 1)).toBe("2021-W01");
  });
});

describe("the key of an answer", () => {
  it("is of the search and its fields", () => {
    expect(cacheKeyOf("a", "b,c")).toMatch(/^[0-9a-f]{16}$/);
    expect(cacheKeyOf("a", "b,c")).not.toBe(cacheKeyOf("a,b", "c"));
    expect(cacheKeyOf("a", undefined)).toBe(cacheKeyOf("a", null));
  });
});
