/**
 * What a bench is: a module of this folder that exports `run`. Figures are computed from the run,
 * peers run beside us in the same run, and targets are those of the design's table of budgets.
 */

/** How to run. */
export interface BenchOptions {
  /** Fewer rounds: enough to see that it works, not enough for a figure to quote. */
  readonly quick: boolean;
  /** The folder of input data, for a bench that reads some. Default: the bench's own. */
  readonly dir?: string;
}

/** Input data that a bench cannot do without or cannot read; the message says what to do. */
export class BenchInputError extends Error {}

/** What a figure has to be. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What a run gave. */
export interface BenchResult {
  readonly bench: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, Target>>;
  /** What one should know to read the figures. */
  readonly notes: readonly string[];
}

/** One bench. */
export interface Bench {
  run(options: BenchOptions): Promise<BenchResult>;
}

/** The figures that miss their target, in words. */
export function misses({ figures, targets }: BenchResult): string[] {
  return Object.entries(targets).flatMap(([name, target]) => {
    const figure = figures[name];
    if (figure === undefined) return [`${name}: was not measured`];
    return meets(figure, target) ? [] : [`${name}: ${figure}, must be ${targetText(target)}`];
  });
}

/** Whether a figure is as it has to be. A figure that is no number is not. */
export function meets(figure: number, { atLeast, atMost }: Target): boolean {
  return !(figure < (atLeast ?? figure)) && figure <= (atMost ?? figure);
}

/** "≥ 20", "≤ 1.5". */
export function targetText({ atLeast, atMost }: Target): string {
  const parts = [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost}`]),
  ];
  return parts.join(", ");
}
