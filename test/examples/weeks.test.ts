import { describe, expect, it } from "vitest";
import { weekLabelOf, weekStartOf } from "../../examples/auditor/weeks.ts";

const DAY_MS = 86_400_000;

describe("an ISO week", () => {
  it.each([
    ["2012-10-29T00:00:00Z", "2012-W44"],
    ["2012-11-04T23:59:59.999Z", "2012-W44"],
    ["2012-11-05T00:00:00Z", "2012-W45"],
    ["2008-12-29T00:00:00Z", "2009-W01"],
    ["2010-01-03T12:00:00Z", "2009-W53"],
    ["2016-01-03T12:00:00Z", "2015-W53"],
    ["2018-12-31T00:00:00Z", "2019-W01"],
    ["1969-12-28T00:00:00Z", "1969-W52"],
  ])("of %s is %s", (moment, label) => {
    expect(weekLabelOf(Date.parse(moment))).toBe(label);
  });

  it("begins on a Monday that lies in it, in every week of 60 years", () => {
    for (let ms = Date.UTC(1970, 0, 5); ms < Date.UTC(2030, 0, 1); ms += 7 * DAY_MS) {
      const label = weekLabelOf(ms);

      expect(weekStartOf(label)).toBe(ms);
      expect(weekLabelOf(ms + 7 * DAY_MS - 1)).toBe(label);
      expect(weekLabelOf(ms + 7 * DAY_MS)).not.toBe(label);
    }
  });

  it.each(["2012-44", "2012-W00", "2012-W53", "2012-W54", "week 44", ""])(
    "is not named by %j",
    (label) => {
      expect(() => weekStartOf(label)).toThrow(/is not a week/);
    },
  );
});
