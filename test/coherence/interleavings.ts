/**
 * Tries all orders of concurrent operations. Each wait of an operation is a gate; at every step one
 * of the closed gates is opened, and everything runs until nothing can go on. Another run takes
 * another choice, until there is none that was not taken.
 */

import type { Gate } from "./model-database.ts";

/** Starts the operations of one run; what it returns is checked when all of them have ended. */
export type Scenario = (gate: Gate) => {
  readonly operations: readonly (() => Promise<void>)[];
  readonly check: () => void;
};

/** Runs the scenario in every order. @returns how many there are. */
export async function everyOrder(scenario: Scenario): Promise<number> {
  let orders = 0;
  let choices: Choice[] = [];
  do {
    choices = await runOnce(scenario, choices);
    orders++;
    while (choices.length > 0 && isLast(choices.at(-1))) choices.pop();
    const next = choices.at(-1);
    if (next !== undefined) next.taken++;
  } while (choices.length > 0);
  return orders;
}

/** Which of the closed gates was opened. */
interface Choice {
  taken: number;
  readonly of: number;
}

function isLast(choice: Choice | undefined): boolean {
  return choice !== undefined && choice.taken + 1 >= choice.of;
}

async function runOnce(scenario: Scenario, prefix: readonly Choice[]): Promise<Choice[]> {
  const closed: (() => void)[] = [];
  const choices: Choice[] = [];
  const gate: Gate = () => new Promise<void>((resolve) => closed.push(resolve));
  const { operations, check } = scenario(gate);
  const start = async (operation: () => Promise<void>): Promise<void> => {
    await gate("start");
    await operation();
  };
  const ended = Promise.all(operations.map(start));
  ended.catch(() => undefined);
  await settle();
  while (closed.length > 0) {
    const of = closed.length;
    const taken = prefix[choices.length]?.taken ?? 0;
    choices.push({ taken, of });
    closed.splice(taken, 1)[0]?.();
    await settle();
  }
  await ended;
  check();
  return choices;
}

/** A macrotask comes when no microtask is left. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
