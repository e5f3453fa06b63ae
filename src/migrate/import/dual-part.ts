/** One part of two backends: who answers, who follows, and whether both say the same. */

import { warn } from "../../core/channels.ts";
import { messageOf } from "../../core/errors.ts";
import { firstDifference } from "./difference.ts";

/** How far the move of a part is. */
export type MoveStage = (typeof MOVE_STAGES)[number];
/** In their order. */
export const MOVE_STAGES = ["old", "shadow", "reversed", "new"] as const;

/** What the backend that does not answer has got wrong; without values, which may be secret. */
export interface MoveProblem {
  readonly part: string;
  readonly method: string;
  /** Its answer differs, it could not read, or it could not write. */
  readonly kind: "different" | "read-failed" | "write-failed";
  /** Where the answer differs, "0.name"; the message of the error otherwise. */
  readonly detail: string;
}

/** One of the two backends. */
export type Side = "old" | "next";

/** What was compared and written. */
export interface PartCounts {
  /** Reads whose answers were the same. */
  readonly equal: number;
  readonly different: number;
  /** Reads that a write came in between, or that were too many to compare all of them. */
  readonly undecided: number;
  /** Reads that failed at the backend that follows. */
  readonly readsFailed: number;
  /** Writes that both backends have done. */
  readonly mirrored: number;
  /** Writes that only the one that answers has done. */
  readonly writesFailed: number;
}

/** How the move of a part goes. */
export interface MovePartReport extends PartCounts {
  readonly stage: MoveStage;
  /** Something was compared, and nothing was wrong: the next stage may come. */
  readonly isReady: boolean;
}

/** What a part is made of. */
export interface DualPartOptions {
  readonly name: string;
  readonly stage: MoveStage;
  readonly methods: { readonly reads: readonly string[]; readonly writes: readonly string[] };
  readonly old: object;
  readonly next: object;
  readonly onProblem: (problem: MoveProblem) => void;
  /** Runs a write after those before it. */
  readonly enqueue: <T>(run: () => Promise<T>) => Promise<T>;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

interface Write {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Reads that are compared at once; more would take the follower's time from its writes. */
const COMPARED_MAX = 16;

export class DualPart {
  readonly #options: DualPartOptions;
  readonly leader: Side;
  /** Undefined when only one of the backends has the part. */
  readonly follower: Side | undefined;
  readonly #counts: { -readonly [Name in keyof PartCounts]: number } = {
    equal: 0,
    different: 0,
    undecided: 0,
    readsFailed: 0,
    mirrored: 0,
    writesFailed: 0,
  };
  /** Grows when a write begins and when it has reached both; equal values have none in between. */
  #epoch = 0;
  #writing = 0;
  readonly #comparing = new Set<Promise<void>>();
  #recorded: Write[] = [];

  constructor(options: DualPartOptions) {
    this.#options = options;
    const { stage } = options;
    this.leader = stage === "old" || stage === "shadow" ? "old" : "next";
    this.follower = stage === "shadow" ? "next" : stage === "reversed" ? "old" : undefined;
  }

  /** What the application calls. */
  facade(): object {
    const { methods } = this.#options;
    return {
      ...entries(methods.reads, (method, args) => this.#read(method, args)),
      ...entries(methods.writes, (method, args) => this.#write(method, args)),
    };
  }

  /** What a transaction calls: the part of the one that answers, with notes of what it writes. */
  recording(leader: object): object {
    const { methods } = this.#options;
    return {
      ...entries(methods.reads, (method, args) => call(leader, method, args)),
      ...entries(methods.writes, async (method, args) => {
        const result = await call(leader, method, args);
        if (this.follower !== undefined) this.#recorded.push({ method, args });
        return result;
      }),
    };
  }

  get hasRecorded(): boolean {
    return this.#recorded.length > 0;
  }

  /** Writes what was recorded into the part of the one that follows. */
  async replay(follower: object): Promise<void> {
    for (const { method, args } of this.#recorded) await call(follower, method, args);
  }

  replayed(): void {
    this.#counts.mirrored += this.#recorded.length;
  }

  replayFailed(detail: string): void {
    this.#counts.writesFailed += this.#recorded.length;
    this.#tell("withTransaction", "write-failed", detail);
  }

  forget(): void {
    this.#recorded = [];
  }

  /** Says that a write is under way until the result is called. */
  beginWrite(): () => void {
    this.#epoch++;
    this.#writing++;
    return () => {
      this.#epoch++;
      this.#writing--;
    };
  }

  report(): MovePartReport {
    const { stage } = this.#options;
    const { equal, different, readsFailed, writesFailed } = this.#counts;
    const isReady = equal > 0 && different + readsFailed + writesFailed === 0;
    return { stage, isReady, ...this.#counts };
  }

  async settled(): Promise<void> {
    await Promise.all(this.#comparing);
  }

  async #read(method: string, args: readonly unknown[]): Promise<unknown> {
    const epoch = this.#epoch;
    const isQuiet = this.#writing === 0;
    const answer = await call(this.#options[this.leader], method, args);
    if (this.follower === undefined) return answer;
    if (!isQuiet || this.#comparing.size >= COMPARED_MAX) {
      this.#counts.undecided++;
      return answer;
    }
    const comparison = this.#compare(this.follower, method, args, answer, epoch);
    this.#comparing.add(comparison);
    void comparison.finally(() => this.#comparing.delete(comparison));
    return answer;
  }

  /** Never fails: what goes wrong here is no business of the caller's. */
  async #compare(
    follower: Side,
    method: string,
    args: readonly unknown[],
    answer: unknown,
    epoch: number,
  ): Promise<void> {
    try {
      const other = await call(this.#options[follower], method, args);
      if (this.#epoch !== epoch) {
        this.#counts.undecided++;
        return;
      }
      const difference = await firstDifference(answer, other);
      if (difference === undefined) this.#counts.equal++;
      else {
        this.#counts.different++;
        this.#tell(method, "different", difference);
      }
    } catch (error) {
      this.#counts.readsFailed++;
      this.#tell(method, "read-failed", messageOf(error));
    }
  }

  async #write(method: string, args: readonly unknown[]): Promise<unknown> {
    const { follower } = this;
    if (follower === undefined) return await call(this.#options[this.leader], method, args);
    return await this.#options.enqueue(async () => {
      const end = this.beginWrite();
      try {
        const result = await call(this.#options[this.leader], method, args);
        await this.#mirror(follower, method, args);
        return result;
      } finally {
        end();
      }
    });
  }

  async #mirror(follower: Side, method: string, args: readonly unknown[]): Promise<void> {
    try {
      await call(this.#options[follower], method, args);
      this.#counts.mirrored++;
    } catch (error) {
      this.#counts.writesFailed++;
      this.#tell(method, "write-failed", messageOf(error));
    }
  }

  /** A listener that fails must not fail a call. */
  #tell(method: string, kind: MoveProblem["kind"], detail: string): void {
    const { name: part, onProblem } = this.#options;
    try {
      onProblem({ part, method, kind, detail });
    } catch (error) {
      warn("LISTENER_FAILED", `onProblem of a move has failed: ${messageOf(error)}`, { part });
    }
  }
}

function entries(
  names: readonly string[],
  run: (method: string, args: readonly unknown[]) => Promise<unknown>,
): Record<string, Method> {
  return Object.fromEntries(
    names.map((name) => [name, (...args: readonly unknown[]) => run(name, args)]),
  );
}

/** Calls a method of a part; what is thrown at once rejects as well. */
async function call(part: object, method: string, args: readonly unknown[]): Promise<unknown> {
  return await (part as Record<string, Method>)[method]?.(...args);
}
