/** Reports for people. */

import { count, timeText } from "../common/progress.ts";
import { type Cell, list, table } from "../common/table.ts";
import { type CompareReport, type Monitoring, TARGETS } from "./compare.ts";
import type { DemandReport } from "./demand.ts";
import type { PipelineReport } from "./pipeline.ts";

/** The whole comparison. */
export function compareText(report: CompareReport): string {
  const { cards, before, after, speedup, different, server, outage, again } = report;
  const times = [
    ["before: serial, one commit a card, no cache", before.seconds, cards / before.seconds],
    ["after: the pipeline", after.seconds, cards / after.seconds],
  ] as const;
  const askedAgain = again.stage1.saved + again.stage2.saved;
  return [
    table(
      `${count(cards)} cards from ${report.source}`,
      ["run", "seconds", "cards/s"],
      times.map((row): Cell[] => [...row]),
    ),
    list("Compared", [
      ["server", `${server.latencyMs} ms an answer, ${count(server.requestsPerSecond)} a second`],
      ["times faster", reached(speedup.toFixed(1), speedup >= TARGETS.speedup, "7.5 or more")],
      ["cards that differ", different.length],
      ["cards that a second run had to make", askedAgain],
    ]),
    stagesText("The pipeline", after),
    table(
      "Migration 009: medians of 51",
      ["query", "before (ms)", "after (ms)", "less (%)"],
      report.indexes.map(({ query, beforeMs, afterMs }): Cell[] => [
        query,
        beforeMs,
        afterMs,
        100 * (1 - afterMs / beforeMs),
      ]),
    ),
    table(
      "Its plans",
      ["before", "after"],
      report.indexes.map(({ planBefore, planAfter }): Cell[] => [planBefore, planAfter]),
    ),
    demandText(report.cold, report.warm),
    list("The server fails, and its answers are old", [
      ["words asked for", outage.asked],
      ["answered by what was kept", outage.stale],
      ["failed", outage.failed],
      ["attempts", outage.attempts],
      ["let go by the open circuit", outage.spared],
      ["circuit", outage.state],
    ]),
    monitoringText(report.monitoring),
  ].join("\n");
}

/** What each stage has done. */
export function stagesText(title: string, report: PipelineReport): string {
  const stages = Object.entries({ stage1: report.stage1, stage2: report.stage2 });
  const rows = stages.map(([name, stage]): Cell[] => [
    name,
    stage.saved,
    stage.stale,
    stage.unknown,
    stage.left,
    stage.commits,
    stage.seconds,
  ]);
  const heads = ["stage", "saved", "stale", "unknown", "left", "commits", "seconds"];
  const reasons = stages.flatMap(([, { reason }]) => (reason === null ? [] : [reason]));
  return table(title, heads, rows) + reasons.map((reason) => `  Left: ${reason}\n`).join("");
}

/** Database and pool, as the guide wants them watched. */
export function monitoringText({ statements, slowStatements, pool, guards }: Monitoring): string {
  return [
    list("Database", [
      ["statements", statements],
      ["slow ones, mean above 100 ms", slowStatements],
      ["readers in use", pool.inUse],
      ["readers", pool.size],
      ["acquisition timeouts", pool.timeouts],
      ["mean acquisition (ms)", pool.meanAcquisitionMs],
    ]),
    table(
      "Guards",
      ["stage", "calls", "failures", "retries", "timeouts", "circuit"],
      Object.entries(guards).map(([name, each]): Cell[] => [
        name,
        each.calls,
        each.failures,
        each.retries,
        each.timeouts,
        each.state,
      ]),
    ),
  ].join("\n");
}

function demandText(cold: DemandReport, warm: DemandReport): string {
  const row = (name: string, of: (report: DemandReport) => Cell): Cell[] => [
    name,
    of(cold),
    of(warm),
  ];
  const isReached = warm.hitRate > TARGETS.hitRate;
  return table(
    `${count(warm.reads)} reads by the frequencies of words`,
    ["", "cold", "warmed"],
    [
      row("words warmed", ({ warmed }) => count(warmed)),
      row("time to warm", ({ warmMs }) => timeText(warmMs)),
      ["hit rate", percent(cold.hitRate), reached(percent(warm.hitRate), isReached, "over 90 %")],
      row("of memory", ({ memoryHitRate }) => percent(memoryHitRate)),
      row("of the file, beyond memory", ({ fileHitRate }) => percent(fileHitRate)),
      row("evictions from memory", ({ memoryEvictions }) => count(memoryEvictions)),
      row("mean time from memory", ({ memoryMs }) => microseconds(memoryMs)),
      row("mean time from the file", ({ fileMs }) => microseconds(fileMs)),
      row("mean time from the database", ({ loadMs }) => microseconds(loadMs)),
    ],
  );
}

function reached(shown: string, isReached: boolean, target: string): string {
  return `${shown} (${isReached ? "ok" : "MISSED"}: ${target})`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function microseconds(ms: number): string {
  return ms === 0 ? "none" : `${(ms * 1_000).toFixed(1)} µs`;
}
