import { describe, expect, it } from "vitest";
import { scheduleProblem } from "../../src/config/schedule.ts";
import { resolveValue } from "../../src/config/value.ts";

describe("a schedule", () => {
  it.each([
    "0 2 * * *",
    "*/15 0-6,22 1,15 * *",
    "5/10 * * * *",
    "0 0 31 JAN-mar Mon,wed-FRI",
    "59 23 31 12 7",
    "10-50/20 * * * 0",
    "0 0 29 2 *",
    "0 0 30 2 mon",
    "  0   2 * *\t* ",
  ])("may be %j", (text) => {
    expect(scheduleProblem(text)).toBeUndefined();
  });

  it.each([
    ["61 * * * *", 'The minute "61" must be *, or values, ranges, lists and steps from 0 to 59'],
    ["0 24 * * *", 'The hour "24"'],
    ["0 0 0 * *", 'The day of month "0"'],
    ["0 0 32 * *", 'The day of month "32"'],
    ["0 0 * 13 *", 'The month "13"'],
    ["0 0 * foo *", "or names such as jan"],
    ["0 0 * * 8", 'The day of week "8"'],
    ["0 0 * * jan", 'The day of week "jan"'],
    ["50-10 * * * *", 'The minute "50-10"'],
    ["*/0 * * * *", 'The minute "*/0"'],
    ["*/60 * * * *", 'The minute "*/60"'],
    ["1,,2 * * * *", 'The minute "1,,2"'],
    ["1-2-3 * * * *", 'The minute "1-2-3"'],
    ["1/2/3 * * * *", 'The minute "1/2/3"'],
    ["-1 * * * *", 'The minute "-1"'],
    ["1.5 * * * *", 'The minute "1.5"'],
    ["* * * *", "Give five fields"],
    ["0 0 2 * * *", "Give five fields"],
    ["", "Give five fields"],
    ["0 0 30 2 *", 'The day of month "30" comes in no month "2"'],
    ["0 0 31 4,jun *", 'comes in no month "4,jun"'],
  ])("cannot be %j", (text, problem) => {
    expect(scheduleProblem(text)).toContain(problem);
  });

  it("is refused where it is written", () => {
    const facts = { type: "schedule", doc: "When." } as const;
    const setting = { value: "61 * * * *", place: "a.json: x", base: "/", unit: "same" } as const;

    expect(() => resolveValue(facts, setting)).toThrow(
      'a.json: x: "61 * * * *" is not a schedule. The minute "61" must be',
    );
    expect(() => resolveValue(facts, { ...setting, value: 5 })).toThrow("5 is not a schedule.");
    expect(resolveValue(facts, { ...setting, value: " 0 2 * * * " })).toBe("0 2 * * *");
  });
});
