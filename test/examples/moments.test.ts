import { describe, expect, it } from "vitest";
import { parseCesawMoment, parseDate, parseMoment } from "../../examples/auditor/moments.ts";

describe("a date", () => {
  it.each([
    ["2025-06-12", "2025-06-12"],
    [" 2025-06-12 ", "2025-06-12"],
    ["2024-02-29", "2024-02-29"],
    ["2025-06-12 08:18:13", "2025-06-12"],
    ["2025-06-12T08:18", "2025-06-12"],
  ])("is read from %j", (text, day) => {
    expect(parseDate(text)).toBe(day);
  });

  it.each(["", "2025", "2025-02-29", "2025-13-01", "12/06/2025", "2025-06-12 25:00", "20250612"])(
    "is not read from %j",
    (text) => {
      expect(() => parseDate(text)).toThrow(/is not a (date|moment)/);
    },
  );
});

describe("a moment", () => {
  it.each([
    ["2025-06-12 08:18:13", "2025-06-12T08:18:13.000Z"],
    ["2025-06-12T08:18:13.123456", "2025-06-12T08:18:13.123Z"],
    ["2025-06-12 08:18", "2025-06-12T08:18:00.000Z"],
    ["2025-06-12", "2025-06-12T00:00:00.000Z"],
    ["2025-06-12T08:18:13+02:00", "2025-06-12T06:18:13.000Z"],
    ["2025-06-12T08:18:13.5Z", "2025-06-12T08:18:13.500Z"],
  ])("is read from %j", (text, moment) => {
    expect(new Date(parseMoment(text)).toISOString()).toBe(moment);
  });

  it.each(["", "08:18:13", "2025-06-12 8:18", "2025-06-31 08:18", "2025-06-12 08:60", "now"])(
    "is not read from %j",
    (text) => {
      expect(() => parseMoment(text)).toThrow(/is not a moment/);
    },
  );

  it("is read from CESAW's form, month first", () => {
    expect(parseCesawMoment("1/3/2013 4:34")).toBe(Date.UTC(2013, 0, 3, 4, 34));
    expect(parseCesawMoment("12/31/2013 23:59")).toBe(Date.UTC(2013, 11, 31, 23, 59));
  });

  it.each(["\\N", "", "13/1/2013 4:34", "2/30/2013 4:34", "1/3/2013 24:00", "0016-01-11 16:22:26"])(
    "is not read from CESAW's %j",
    (text) => {
      expect(() => parseCesawMoment(text)).toThrow(/is not a moment/);
    },
  );
});
