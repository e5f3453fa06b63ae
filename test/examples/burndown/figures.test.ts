import { describe, expect, it } from "vitest";
import { chart } from "../../../examples/burndown/chart.ts";
import {
  leadTimesDays,
  percentile,
  projectOfIssues,
  type WeekFlow,
  weeksOfIssues,
  weeksOfProject,
} from "../../../examples/burndown/figures.ts";
import { forecast, forecastOptionsOf } from "../../../examples/burndown/forecast.ts";
import type { IssueFact } from "../../../examples/burndown/model.ts";
import { NOW } from "./support.ts";

function issue(created: string, resolved: string | null, points: number | null = null): IssueFact {
  const moment = (day: string): string => `${day}T00:00:00.000Z`;
  return {
    key: "A-1",
    type: "Bug",
    status: resolved === null ? "Open" : "Closed",
    category: resolved === null ? "new" : "done",
    points,
    created: moment(created),
    updated: moment(created),
    resolved: resolved === null ? null : moment(resolved),
  };
}

const ISSUES = [
  issue("2025-01-06", "2025-01-22", 3),
  issue("2025-01-07", "2025-01-08", 5),
  issue("2025-01-20", null, 8),
];

function week(name: string, completedItems: number, remainingItems: number): WeekFlow {
  const points = { completedPoints: 0, createdPoints: 0, remainingPoints: 0 };
  return { week: name, completedItems, createdItems: 1, remainingItems, ...points };
}

describe("the weeks of a project", () => {
  it("have what came in, what was done and what remained, without a gap", () => {
    const weeks = weeksOfIssues(ISSUES);

    expect(weeks.map((each) => [each.week, each.createdItems, each.completedItems])).toEqual([
      ["2025-W02", 2, 1],
      ["2025-W03", 0, 0],
      ["2025-W04", 1, 1],
    ]);
    expect(weeks.map((each) => each.remainingItems)).toEqual([1, 1, 1]);
    expect(weeks.map((each) => each.remainingPoints)).toEqual([3, 3, 8]);
  });

  it("are the same from what the old application wrote down", () => {
    const project = projectOfIssues(ISSUES, NOW);

    expect(weeksOfProject(project)).toEqual(weeksOfIssues(ISSUES));
    expect(project.scope).toMatchObject({ totalItems: 3, remainingItems: 1, remainingPoints: 8 });
  });

  it("are none of nothing, and times are by the nearest rank", () => {
    expect(weeksOfIssues([])).toEqual([]);
    expect(leadTimesDays(ISSUES)).toEqual([1, 16]);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(percentile([], 0.5)).toBeUndefined();
  });
});

describe("a forecast", () => {
  const WEEKS = [week("2025-W01", 4, 20), week("2025-W02", 6, 15), week("2025-W03", 5, 10)];

  it("has three points around the mean pace", () => {
    const found = forecast(WEEKS, { pertFactor: 2 });

    expect(found).toMatchObject({
      from: "2025-01-19",
      remaining: 10,
      pace: 5,
      intake: 1,
      pert: { optimistic: "2025-01-26", likely: "2025-02-02", pessimistic: "2025-02-16" },
    });
  });

  it("draws futures from the last weeks, the same ones for the same seed", () => {
    const found = forecast(WEEKS, { deadline: "2025-02-02" });

    expect(found?.days).toEqual({ p50: "2025-02-02", p85: "2025-02-09", p95: "2025-02-09" });
    expect(found?.deadlineChance).toBeCloseTo(2 / 3, 1);
    expect(forecast(WEEKS, { deadline: "2025-02-02" })).toEqual(found);
  });

  it("has no day where nothing is done, and the last known one where nothing remains", () => {
    const never = forecast([week("2025-W01", 0, 3)], { deadline: "2030-01-01" });
    const done = forecast([week("2025-W01", 0, 0)]);

    expect(never).toMatchObject({
      pert: { expected: null },
      days: { p95: null },
      deadlineChance: 0,
    });
    expect(done).toMatchObject({ pert: { likely: "2025-01-05" }, days: { p95: "2025-01-05" } });
    expect(forecast([])).toBeUndefined();
  });

  it("takes the settings of a profile, as far as they can be used", () => {
    const settings = { pert_factor: 1.5, data_points_count: 8.5, deadline: "2025-12-31T00:00:00Z" };

    expect(forecastOptionsOf(settings)).toEqual({
      pertFactor: 1.5,
      dataPoints: 8,
      deadline: "2025-12-31",
    });
    expect(forecastOptionsOf({ pert_factor: "x", deadline: "soon" })).toEqual({ deadline: null });
  });
});

describe("a chart", () => {
  const WEEKS = [week("2025-W01", 4, 20), week("2025-W02", 6, 15), week("2025-W03", 5, 10)];

  it("has axes, labels and a legend, and draws every week", () => {
    const found = forecast(WEEKS, { deadline: "2025-03-01" });

    const svg = chart({ title: "Team", weeks: WEEKS, measure: "items", forecast: found });

    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts).toEqual(
      expect.arrayContaining([
        "Team",
        "Burndown",
        "Velocity",
        "items",
        "items per week",
        "day",
        "week",
        "2024-12-30",
        "2025-W02",
        "20",
        "remaining items",
        "85 % done by 2025-02-09",
        "deadline 2025-03-01",
        "completed",
        "created",
        "mean of 4 weeks, completed",
      ]),
    );
    expect(svg.match(/<rect /g)).toHaveLength(1 + 3 + 2 * WEEKS.length);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("stays inside of its picture", () => {
    const svg = chart({
      title: "x",
      weeks: WEEKS,
      measure: "items",
      forecast: forecast(WEEKS, { deadline: "2026-01-01" }),
    });

    for (const [, name, value] of svg.matchAll(/ (x|x1|x2|y|y1|y2)="([-\d.]+)"/g)) {
      expect(Number(value)).toBeGreaterThanOrEqual(0);
      expect(Number(value)).toBeLessThanOrEqual(name?.startsWith("x") ? 960 : 720);
    }
  });

  it("shows a title as it is, whatever is in it, and says when there is nothing", () => {
    const svg = chart({ title: 'a < b & "c"\u0007', weeks: [], measure: "items" });

    expect(svg).toContain(">a &lt; b &amp; &quot;c&quot;</text>");
    expect(svg).toContain("There are no weeks yet.");
  });
});
