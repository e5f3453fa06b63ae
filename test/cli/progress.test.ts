import { describe, expect, it } from "vitest";
import { formatProgress, ProgressLine } from "../../src/cli/progress.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { systemClock } from "../../src/core/clock.ts";

function recorder(progressColumns: number | undefined): { terminal: Terminal; drawn: string[] } {
  const drawn: string[] = [];
  let nowMs = 0;
  const terminal: Terminal = {
    cwd: "/",
    env: {},
    out: () => undefined,
    err: (text) => void drawn.push(text),
    color: false,
    progressColumns,
    ask: undefined,
    signal: new AbortController().signal,
    clock: { ...systemClock, monotonicMs: () => (nowMs += 60) },
  };
  return { terminal, drawn };
}

const state = (done: number): Parameters<ProgressLine["show"]>[0] => ({
  label: "backfill",
  done,
  total: 4,
  unit: "rows",
});

describe("ProgressLine", () => {
  it("draws at most ten times a second, the end always, and removes itself", () => {
    const { terminal, drawn } = recorder(80);

    {
      using line = new ProgressLine(terminal);
      for (const done of [0, 1, 2, 4]) line.show(state(done));
    }

    expect(drawn.map((text) => /(\d)\/4/.exec(text)?.[1])).toEqual(["0", "2", "4", undefined]);
    expect(drawn.at(-1)).toBe("\r\x1b[K");
  });

  it("draws nothing where nobody looks", () => {
    const { terminal, drawn } = recorder(undefined);

    {
      using line = new ProgressLine(terminal);
      line.show(state(4));
    }

    expect(drawn).toEqual([]);
  });

  it("is never wider than the screen", () => {
    const { terminal, drawn } = recorder(20);
    const line = new ProgressLine(terminal);

    line.show(state(4));

    expect(drawn[0]?.replace("\r\x1b[K", "")).toHaveLength(19);
  });
});

describe("formatProgress", () => {
  it("shows bar, share, count, speed and time to go", () => {
    const text = formatProgress({
      label: "import",
      done: 1_500,
      total: 6_000,
      unit: "rows",
      perSecond: 12_345.6,
      etaMs: 1_500,
    });

    expect(text).toBe(
      "import  ██████░░░░░░░░░░░░░░░░░░  25 %  1,500/6,000 rows  12,346 rows/s  1.50 s to go",
    );
  });

  it("shows only the count when the end is not known, and all of nothing as done", () => {
    expect(formatProgress({ label: "a", done: 7, total: undefined, unit: "rows" })).toBe(
      "a  7 rows",
    );
    expect(formatProgress({ label: "a", done: 0, total: 0, unit: "rows" })).toContain("100 %");
  });
});
