/**
 * A burndown and a velocity chart as one SVG picture, in plain shapes and texts that every viewer
 * draws: above what remained at the end of each week and where it is going, below what was done and
 * what came in.
 */

import { mean, type WeekFlow } from "./figures.ts";
import type { Forecast, Measure } from "./forecast.ts";
import { daysBetween, msOf } from "./moments.ts";
import { mondayOf } from "./weeks.ts";

export interface ChartOptions {
  readonly title: string;
  readonly weeks: readonly WeekFlow[];
  readonly measure: Measure;
  /** Default: none is drawn. */
  readonly forecast?: Forecast | undefined;
}

const WIDTH = 960;
const HEIGHT = 720;
const LEFT = 76;
const RIGHT = 24;
/** Top and bottom of the two panels. */
const BURNDOWN = { top: 112, bottom: 370 };
const VELOCITY = { top: 472, bottom: 652 };
/** Of Okabe and Ito's palette, which people with any colour vision can tell apart. */
const COLOURS = {
  remaining: "#0072B2",
  forecast: "#D55E00",
  completed: "#009E73",
  created: "#CC79A7",
  mean: "#000000",
  deadline: "#000000",
} as const;
const GRID = "#DDDDDD";
const TEXT = "#333333";
/** Labels on an axis: more would run into each other. */
const TICKS = 5;
const DATE_LABELS_MAX = 8;
const MEAN_WEEKS = 4;
const DASHES = { "stroke-dasharray": "6 4" };

/** Draws the chart. */
export function chart({ title, weeks, measure, forecast }: ChartOptions): string {
  const shown = { title, weeks, measure, forecast };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" ` +
      `viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="Helvetica, Arial, sans-serif" role="img">`,
    `<title>${escapeText(title)}</title>`,
    shape("rect", { width: WIDTH, height: HEIGHT, fill: "#FFFFFF" }),
    label(LEFT, 38, title, { size: 20, weight: "bold" }),
    ...(weeks.length === 0
      ? [label(LEFT, 80, "There are no weeks yet.", { size: 14 })]
      : [...burndown(shown), ...velocity(shown)]),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

type Shown = Required<Omit<ChartOptions, "forecast">> & Pick<ChartOptions, "forecast">;

function burndown({ weeks, measure, forecast }: Shown): string[] {
  const remaining = weeks.map((week) =>
    measure === "items" ? week.remainingItems : week.remainingPoints,
  );
  const first = mondayOf(weeks[0]?.week ?? "");
  const lastKnown = forecast?.from ?? mondayOf(weeks.at(-1)?.week ?? "");
  const end = latest([lastKnown, forecast?.days?.p95, forecast?.deadline]);
  const x = scale(msOf(first), msOf(end), LEFT, WIDTH - RIGHT);
  const top = niceMax(Math.max(...remaining, 1));
  const y = scale(0, top, BURNDOWN.bottom, BURNDOWN.top);
  const at = (day: string, value: number): string => `${round(x(msOf(day)))},${round(y(value))}`;
  const points = weeks.map((week, index) => at(mondayOf(week.week), remaining[index] ?? 0));
  const now = remaining.at(-1) ?? 0;
  const from = at(mondayOf(weeks.at(-1)?.week ?? ""), now);
  const legend: Legend[] = [[COLOURS.remaining, "line", `remaining ${measure}`]];
  const lines: string[] = [];
  const { p50 = null, p85 = null, p95 = null } = forecast?.days ?? {};
  if (p50 !== null && p85 !== null && p95 !== null) {
    lines.push(
      shape("polygon", {
        points: `${from} ${at(p50, 0)} ${at(p95, 0)}`,
        fill: COLOURS.forecast,
        opacity: 0.15,
      }),
      polyline([from, at(p85, 0)], COLOURS.forecast, DASHES),
    );
    legend.push([COLOURS.forecast, "dash", `85 % done by ${p85}`]);
    legend.push([COLOURS.forecast, "area", `50 to 95 %: ${p50} to ${p95}`]);
  } else if (forecast !== undefined) {
    legend.push([COLOURS.forecast, "dash", "at this pace not done within ten years"]);
  }
  if (forecast?.deadline != null) {
    const place = round(x(msOf(forecast.deadline)));
    const [top, bottom] = [BURNDOWN.top, BURNDOWN.bottom];
    lines.push(line(place, top, place, bottom, COLOURS.deadline, { "stroke-width": 2 }));
    legend.push([COLOURS.deadline, "line", `deadline ${forecast.deadline}`]);
  }
  return [
    ...frame("Burndown", measure, BURNDOWN, top, y),
    ...dateAxis(first, end, x, BURNDOWN),
    ...lines,
    polyline(points, COLOURS.remaining),
    ...legendOf(legend, BURNDOWN.top - 18),
  ];
}

function velocity({ weeks, measure }: Shown): string[] {
  const [done, added] = [
    weeks.map((week) => (measure === "items" ? week.completedItems : week.completedPoints)),
    weeks.map((week) => (measure === "items" ? week.createdItems : week.createdPoints)),
  ];
  const top = niceMax(Math.max(...done, ...added, 1));
  const y = scale(0, top, VELOCITY.bottom, VELOCITY.top);
  const slot = (WIDTH - LEFT - RIGHT) / weeks.length;
  const width = round(Math.max(0.5, slot * 0.4));
  const bar = (index: number, value: number, shift: number, colour: string): string[] => {
    if (value <= 0) return [];
    const x = round(LEFT + slot * (index + shift));
    const height = round(VELOCITY.bottom - y(value));
    return [shape("rect", { x, y: round(y(value)), width, height, fill: colour })];
  };
  const bars = weeks.flatMap((_, index) => [
    ...bar(index, done[index] ?? 0, 0.1, COLOURS.completed),
    ...bar(index, added[index] ?? 0, 0.5, COLOURS.created),
  ]);
  const means = done.map((_, index) =>
    mean(done.slice(Math.max(0, index - MEAN_WEEKS + 1), index + 1)),
  );
  const line = means.map(
    (value, index) => `${round(LEFT + slot * (index + 0.5))},${round(y(value))}`,
  );
  const every = Math.ceil(weeks.length / DATE_LABELS_MAX);
  const labels = weeks.flatMap(({ week }, index) =>
    index % every === 0
      ? [label(LEFT + slot * (index + 0.5), VELOCITY.bottom + 20, week, { anchor: "middle" })]
      : [],
  );
  return [
    ...frame("Velocity", `${measure} per week`, VELOCITY, top, y),
    ...bars,
    polyline(line, COLOURS.mean),
    ...labels,
    label((LEFT + WIDTH - RIGHT) / 2, VELOCITY.bottom + 44, "week", { anchor: "middle" }),
    ...legendOf(
      [
        [COLOURS.completed, "area", "completed"],
        [COLOURS.created, "area", "created"],
        [COLOURS.mean, "line", `mean of ${MEAN_WEEKS} weeks, completed`],
      ],
      VELOCITY.top - 18,
    ),
  ];
}

interface Panel {
  readonly top: number;
  readonly bottom: number;
}

type Scale = (value: number) => number;

/** Title, horizontal lines with their values, and the name of the vertical axis. */
function frame(title: string, axis: string, panel: Panel, top: number, y: Scale): string[] {
  const middle = (panel.top + panel.bottom) / 2;
  const lines: string[] = [];
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = (top / TICKS) * tick;
    const at = round(y(value));
    lines.push(
      line(LEFT, at, WIDTH - RIGHT, at, tick === 0 ? TEXT : GRID),
      label(LEFT - 8, at + 4, numberText(value), { anchor: "end" }),
    );
  }
  return [
    label(LEFT, panel.top - 36, title, { size: 15, weight: "bold" }),
    ...lines,
    `<text x="20" y="${middle}" font-size="12" fill="${TEXT}" text-anchor="middle" ` +
      `transform="rotate(-90 20 ${middle})">${escapeText(axis)}</text>`,
  ];
}

function dateAxis(first: string, end: string, x: Scale, panel: Panel): string[] {
  const days = Math.max(1, daysBetween(first, end));
  const labels: string[] = [];
  for (let index = 0; index < DATE_LABELS_MAX; index++) {
    const ms = msOf(first) + (days * 86_400_000 * index) / (DATE_LABELS_MAX - 1);
    const at = round(x(ms));
    const isLast = index === DATE_LABELS_MAX - 1;
    const anchor = index === 0 ? "start" : isLast ? "end" : "middle";
    labels.push(
      line(at, panel.bottom, at, panel.bottom + 5, TEXT),
      label(at, panel.bottom + 20, new Date(ms).toISOString().slice(0, 10), { anchor }),
    );
  }
  return [
    ...labels,
    label((LEFT + WIDTH - RIGHT) / 2, panel.bottom + 40, "day", { anchor: "middle" }),
  ];
}

type Legend = readonly [colour: string, form: "line" | "dash" | "area", text: string];

/** Stands below the title of the panel. */
function legendOf(entries: readonly Legend[], y: number): string[] {
  let x = LEFT;
  return entries.flatMap(([colour, form, text]) => {
    const at = x;
    // A letter of this size is hardly wider than 6.5.
    x += 44 + text.length * 6.5;
    const place = { x: at, y: y - 5, width: 24, height: 10 };
    const opacity = colour === COLOURS.forecast ? 0.3 : 1;
    const dash = form === "dash" ? DASHES : {};
    const mark =
      form === "area"
        ? shape("rect", { ...place, fill: colour, opacity })
        : line(at, y, at + 24, y, colour, { "stroke-width": 2, ...dash });
    return [mark, label(at + 30, y + 4, text, {})];
  });
}

interface LabelStyle {
  readonly size?: number;
  readonly weight?: string;
  readonly anchor?: "start" | "middle" | "end";
}

function label(x: number, y: number, text: string, style: LabelStyle): string {
  const { size = 12, weight = "normal", anchor = "start" } = style;
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" ` +
    `text-anchor="${anchor}" fill="${TEXT}">${escapeText(text)}</text>`
  );
}

function polyline(points: readonly string[], colour: string, more: Attributes = {}): string {
  const look = { fill: "none", stroke: colour, "stroke-width": 2, ...more };
  return shape("polyline", { points: points.join(" "), ...look });
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  stroke: string,
  more: Attributes = {},
): string {
  return shape("line", { x1, y1, x2, y2, stroke, ...more });
}

type Attributes = Readonly<Record<string, string | number>>;

function shape(name: string, attributes: Attributes): string {
  const texts = Object.entries(attributes).map(([key, value]) => `${key}="${value}"`);
  return `<${name} ${texts.join(" ")}/>`;
}

function scale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

/** A number from the value on, whose fifth is 1, 2, 2.5 or 5 times a power of ten. */
function niceMax(value: number): number {
  const step = value / TICKS;
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 2.5, 5, 10].find((each) => each * power >= step) ?? 10;
  return nice * power * TICKS;
}

function latest(days: readonly (string | null | undefined)[]): string {
  return days.filter((day) => day != null).reduce((a, b) => (a > b ? a : b));
}

function numberText(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** As text of an XML document, which has no place for most control characters. */
function escapeText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML refuses these.
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
