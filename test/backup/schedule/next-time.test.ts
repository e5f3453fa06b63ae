import { describe, expect, it } from "vitest";
import { assertTimeZone, loadNextTime } from "../../../src/backup/schedule/next-time.ts";

const DAY_MS = 86_400_000;

describe("a daily schedule", () => {
  it.each([
    ["Europe/Berlin", "0 2 * * *", "2026-03-27", "2026-03-31"],
    ["Europe/Berlin", "30 2 * * *", "2026-10-23", "2026-10-28"],
    ["America/New_York", "0 2 * * *", "2026-03-06", "2026-03-11"],
    ["America/New_York", "30 1 * * *", "2026-10-30", "2026-11-04"],
    ["America/Sao_Paulo", "0 0 * * *", "2018-11-02", "2018-11-07"],
    ["Australia/Lord_Howe", "45 1 * * *", "2026-04-02", "2026-04-08"],
    ["Pacific/Apia", "0 2 * * *", "2011-12-28", "2011-12-29"],
  ])("in %s at %s comes once on each day from %s", async (timeZone, expression, from, to) => {
    const nextTime = await loadNextTime(timeZone);
    const dayOf = (ms: number): string => new Date(ms).toLocaleDateString("sv", { timeZone });
    const endMs = Date.parse(`${to}T12:00:00Z`);

    const days: string[] = [];
    let ms = Date.parse(`${from}T12:00:00Z`);
    for (;;) {
      ms = nextTime(expression, ms);
      if (ms > endMs) break;
      days.push(dayOf(ms));
    }

    const wanted: string[] = [];
    for (let at = Date.parse(`${days[0]}T12:00:00Z`); ; at += DAY_MS) {
      const day = new Date(at).toISOString().slice(0, 10);
      wanted.push(day);
      if (day >= (days.at(-1) ?? "")) break;
    }
    expect(days).toEqual(wanted);
    expect(days.length).toBeGreaterThanOrEqual(1);
  });

  it("comes no second time in an hour that comes twice", async () => {
    const nextTime = await loadNextTime("America/New_York");
    const first = Date.parse("2026-11-01T05:30:00Z");

    const next = [first, first + 1_800_000, first + 3_600_000, first + 5_400_000].map((ms) =>
      new Date(nextTime("30 1 * * *", ms)).toISOString(),
    );

    expect(next).toEqual(Array.from({ length: 4 }, () => "2026-11-02T06:30:00.000Z"));
  });

  it("comes at the first moment after the gap when its time does not come", async () => {
    const nextTime = await loadNextTime("Europe/Berlin");

    const ms = nextTime("30 2 * * *", Date.parse("2026-03-28T12:00:00Z"));

    expect(new Date(ms).toISOString()).toBe("2026-03-29T01:00:00.000Z");
  });
});

describe("what is no schedule", () => {
  it.each(["", "0 2 * *", "61 2 * * *", "0 0 30 2 *", "* * * * * *"])(
    "is refused: %j",
    async (text) => {
      const nextTime = await loadNextTime("UTC");

      expect(() => nextTime(text, 0)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    },
  );

  it("is refused, and so is a time zone that nobody knows", () => {
    expect(() => assertTimeZone("timeZone", "Europe/Atlantis")).toThrow("no time zone");
    expect(() => assertTimeZone("timeZone", "UTC")).not.toThrow();
  });
});
