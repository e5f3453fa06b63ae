/**
 * A data set of the origin's own test size, the same for the same seed: 10 weeks with 100 to 5,000
 * tasks, 19,850 in all.
 */

import { randomNumbers } from "../common/random.ts";
import { dayOfMoment } from "./moments.ts";
import type { NewTask } from "./task-rows.ts";
import { weekLabelOf, weekStartOf } from "./weeks.ts";

/** Tasks in each of the ten weeks: 19,850 in all. */
export const WEEK_SIZES: readonly number[] = [
  100, 250, 500, 750, 1_000, 1_500, 2_250, 3_500, 5_000, 5_000,
];

const FIRST_WEEK = "2025-W01";
const DAY_MS = 86_400_000;
const PROJECTS = [
  "Atlas",
  "Borealis",
  "Cedar",
  "Dorado",
  "Ember",
  "Fjord, north",
  "Gale",
  "Harbour",
];
const OPERATIONS = ["transcribe", "review", "label", "compare", "rewrite"];
const LOCALES = ["en_US", "de_DE", "it_IT", "ko_KR", "pt_BR"];
const TIME_LIMIT_SECONDS = 3_600;

/** One generated week. */
export interface GeneratedWeek {
  readonly label: string;
  readonly isBonusWeek: boolean;
  readonly tasks: Iterable<NewTask>;
}

/** The weeks in order; their tasks are made as they are taken. */
export function* generateWeeks(
  seed = 1,
  sizes: readonly number[] = WEEK_SIZES,
): Generator<GeneratedWeek> {
  const firstMs = weekStartOf(FIRST_WEEK);
  for (const [index, size] of sizes.entries()) {
    const startMs = firstMs + index * 7 * DAY_MS;
    yield {
      label: weekLabelOf(startMs),
      isBonusWeek: index % 4 === 3,
      tasks: generateTasks(randomNumbers(seed * 1_000 + index), startMs, size),
    };
  }
}

function* generateTasks(
  random: () => number,
  weekStartMs: number,
  size: number,
): Generator<NewTask> {
  const pick = (choices: readonly string[]): string =>
    choices[Math.floor(random() * choices.length)] ?? "";
  for (let index = 0; index < size; index++) {
    const durationSeconds = 60 + Math.floor(random() ** 2 * 5_400);
    // Mondays to Fridays from eight o'clock, in the order of the tasks.
    const workMs = (index / size) * 5 * 8 * 3_600_000;
    const day = Math.floor(workMs / (8 * 3_600_000));
    const beginMs =
      weekStartMs + day * DAY_MS + 8 * 3_600_000 + Math.floor(workMs % (8 * 3_600_000));
    const project = pick(PROJECTS);
    yield {
      attemptId: `attempt-${dayOfMoment(weekStartMs)}-${index + 1}`,
      durationSeconds,
      projectId: `P${PROJECTS.indexOf(project) + 1}`,
      projectName: project,
      operationId: pick(OPERATIONS),
      timeLimitSeconds: TIME_LIMIT_SECONDS,
      dateAudited: dayOfMoment(beginMs),
      score: 1 + Math.floor(random() * 5),
      feedback: random() < 0.1 ? 'Good, but "late"\nSee the notes.' : "",
      locale: pick(LOCALES),
      bonusPaid: false,
      beginMs,
      endMs: beginMs + durationSeconds * 1_000,
      createdMs: beginMs,
    };
  }
}
