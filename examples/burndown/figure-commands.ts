/** The commands that reckon: the figures of a query, and when it will be done. */

import { SpringhouseError } from "springhouse";
import { type Cell, list, table } from "../common/table.ts";
import { currentBackend, getProfile, weeksOf } from "./application.ts";
import { chart } from "./chart.ts";
import { type Context, type Outcome, withBackend } from "./command.ts";
import { leadTimesDays, mean, percentile, type WeekFlow } from "./figures.ts";
import { DATA_POINTS, forecast, forecastOptionsOf, type Measure } from "./forecast.ts";
import type { IssueFact } from "./model.ts";
import { writeFileWhole } from "./whole-file.ts";

/** What `stats` and `forecast` take. */
export interface FigureFlags {
  readonly profile?: string;
  readonly query?: string;
  readonly measure?: Measure;
  readonly weeks?: number;
  readonly chart?: string;
  readonly deadline?: string;
}

/** Weeks in a chart. */
const WEEKS_SHOWN = 52;

/** The figures of a query. */
export async function runStats(context: Context, flags: FigureFlags): Promise<Outcome> {
  return await withBackend(context, async () => {
    const { profileId, queryId, weeks, measure } = await figuresOf(flags);
    const issues = await currentBackend().caches.issues(profileId, queryId);
    const recent = weeks.slice(-DATA_POINTS);
    const days = leadTimesDays(issues);
    const last = weeks.at(-1);
    const figures = {
      profileId,
      queryId,
      weeks: weeks.length,
      first: weeks[0]?.week ?? null,
      last: last?.week ?? null,
      issues: issues.length,
      remainingItems: last?.remainingItems ?? 0,
      remainingPoints: last?.remainingPoints ?? 0,
      velocityItems: mean(recent.map((week) => week.completedItems)),
      velocityPoints: mean(recent.map((week) => week.completedPoints)),
      createdItems: mean(recent.map((week) => week.createdItems)),
      leadTimeDaysP50: percentile(days, 0.5) ?? null,
      leadTimeDaysP85: percentile(days, 0.85) ?? null,
      byStatus: countBy(issues, ({ status }) => status ?? "(none)"),
      byType: countBy(issues, ({ type }) => type ?? "(none)"),
    };
    const drawn = drawChart(flags, { title: `${profileId}, ${queryId}`, weeks, measure });
    const text = statsText(figures, recent) + drawn.text;
    return { ok: true, data: { ...figures, recent, chart: drawn.file }, text };
  });
}

/** When a query will be done. */
export async function runForecast(context: Context, flags: FigureFlags): Promise<Outcome> {
  return await withBackend(context, async () => {
    const { profileId, queryId, weeks, measure } = await figuresOf(flags);
    const { forecastSettings } = await getProfile(profileId);
    const { deadline } = flags;
    const settings = forecastOptionsOf(forecastSettings);
    const found = forecast(weeks, {
      ...settings,
      measure,
      ...(deadline !== undefined && { deadline }),
    });
    if (found === undefined) {
      throw new SpringhouseError(
        "NOT_FOUND",
        `Query "${queryId}" has no weeks to reckon with yet.`,
      );
    }
    const title = `${profileId}, ${queryId}`;
    const drawn = drawChart(flags, { title, weeks, measure, forecast: found });
    const beyond = "not within ten years";
    const chance = found.deadlineChance;
    const text = list(`Forecast of ${title}, from ${found.from}`, [
      [`remaining ${measure}`, found.remaining],
      [`done in a week (mean of ${found.weeks})`, found.pace],
      ["came in in a week", found.intake],
      ["three points: optimistic", found.pert.optimistic ?? beyond],
      ["three points: likely", found.pert.likely ?? beyond],
      ["three points: pessimistic", found.pert.pessimistic ?? beyond],
      ["three points: expected", found.pert.expected ?? beyond],
      ["50 of 100 futures are done by", found.days.p50 ?? beyond],
      ["85 of 100", found.days.p85 ?? beyond],
      ["95 of 100", found.days.p95 ?? beyond],
      ...(found.deadline === null || chance === null
        ? []
        : [[`chance of ${found.deadline}`, `${Math.round(chance * 100)} %`] as const]),
    ]);
    return {
      ok: true,
      data: { profileId, queryId, ...found, chart: drawn.file },
      text: text + drawn.text,
    };
  });
}

interface FoundFigures {
  readonly profileId: string;
  readonly queryId: string;
  readonly weeks: readonly WeekFlow[];
  readonly measure: Measure;
}

/** The weeks of the query that is named, or of the one in use. */
async function figuresOf({
  profile,
  query,
  measure = "items",
}: FigureFlags): Promise<FoundFigures> {
  const { state, queries } = currentBackend();
  const selection = await state.selection();
  const profileId = profile ?? selection.profileId;
  if (profileId === null) throw new SpringhouseError("NOT_FOUND", "There is no profile yet.");
  await getProfile(profileId);
  const isInUse = profileId === selection.profileId;
  const [last] = await queries.list(profileId);
  const queryId = query ?? (isInUse ? selection.queryId : null) ?? last?.id;
  if (queryId === undefined || (await queries.get(profileId, queryId)) === undefined) {
    throw new SpringhouseError("NOT_FOUND", `Query '${queryId ?? ""}' not found`);
  }
  return { profileId, queryId, weeks: await weeksOf(profileId, queryId), measure };
}

function drawChart(
  { chart: file, weeks: shown = WEEKS_SHOWN }: FigureFlags,
  options: Parameters<typeof chart>[0],
): { readonly file: string | null; readonly text: string } {
  if (file === undefined) return { file: null, text: "" };
  writeFileWhole(file, chart({ ...options, weeks: options.weeks.slice(-shown) }));
  return { file, text: `Chart: ${file}\n` };
}

function countBy(
  issues: readonly IssueFact[],
  nameOf: (issue: IssueFact) => string,
): Readonly<Record<string, number>> {
  const groups = [...Map.groupBy(issues, nameOf)].map(([name, all]) => [name, all.length] as const);
  return Object.fromEntries(groups.sort(([, a], [, b]) => b - a));
}

interface Figures {
  readonly profileId: string;
  readonly queryId: string;
  readonly weeks: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly issues: number;
  readonly remainingItems: number;
  readonly remainingPoints: number;
  readonly velocityItems: number;
  readonly velocityPoints: number;
  readonly createdItems: number;
  readonly leadTimeDaysP50: number | null;
  readonly leadTimeDaysP85: number | null;
  readonly byStatus: Readonly<Record<string, number>>;
}

function statsText(figures: Figures, recent: readonly WeekFlow[]): string {
  const head = list(`${figures.profileId}, ${figures.queryId}`, [
    ["issues", figures.issues],
    ["weeks", `${figures.weeks} (${figures.first ?? ""} to ${figures.last ?? ""})`],
    ["remaining items", figures.remainingItems],
    ["remaining points", figures.remainingPoints],
    [`items done in a week (mean of ${recent.length})`, figures.velocityItems],
    [`points done in a week (mean of ${recent.length})`, figures.velocityPoints],
    ["items that came in in a week", figures.createdItems],
    ["days from creation to resolution: half within", figures.leadTimeDaysP50],
    ["days from creation to resolution: 85 % within", figures.leadTimeDaysP85],
    ...Object.entries(figures.byStatus).map(([name, n]) => [`status ${name}`, n] as const),
  ]);
  const rows = recent.map((week): Cell[] => [
    week.week,
    week.completedItems,
    week.createdItems,
    week.remainingItems,
    week.completedPoints,
  ]);
  const heads = ["week", "done", "created", "remaining", "points done"];
  return `${head}\n${table("The last weeks", heads, rows)}`;
}
