/**
 * The contract of a tier (`tier/tier.ts`) as a suite, for whoever writes one of their own.
 *
 * It is a list of named cases, so that it runs in every test runner: a case opens what it needs,
 * throws an `AssertionError` when the contract is broken, and closes what it opened. Time is a
 * `FakeClock`; no case sleeps.
 *
 * @example
 * import { describe, it } from "node:test"; // or "vitest"
 * import { tierContract } from "springhouse/testing";
 *
 * describe("my tier", () => {
 *   for (const { name, run } of tierContract({ name: "mine", open: openMyTier })) it(name, run);
 * });
 */

import { assertFunction, assertMethods, assertText } from "../core/arguments.ts";
import type { Tier } from "../tier/tier.ts";
import { batches } from "./tier/batches.ts";
import { bounds } from "./tier/bounds.ts";
import { caseContext, type TierCases, type TierSubject } from "./tier/context.ts";
import { damage } from "./tier/damage.ts";
import { expiry } from "./tier/expiry.ts";
import { keyTexts } from "./tier/key-texts.ts";
import { leases } from "./tier/leases.ts";
import { lifecycle } from "./tier/lifecycle.ts";
import { listing } from "./tier/listing.ts";
import { looks } from "./tier/looks.ts";
import { newest } from "./tier/newest.ts";
import { responsiveness } from "./tier/responsiveness.ts";
import { statistics } from "./tier/statistics.ts";
import { tags } from "./tier/tags.ts";
import { time } from "./tier/time.ts";
import { values } from "./tier/values.ts";

export type { TierSubject, TierSubjectOptions } from "./tier/context.ts";

/** One thing that must hold. */
export interface ContractCase {
  /** What holds, as a sentence. */
  readonly name: string;
  /** Rejects when it does not. */
  readonly run: () => Promise<void>;
}

const GROUPS: Readonly<Record<string, TierCases>> = {
  "a batch": batches,
  "the newest": newest,
  time,
  "a look": looks,
  "what is expired": expiry,
  "a tag": tags,
  "the text of a key": keyTexts,
  "a list": listing,
  "a value": values,
  "a bound": bounds,
  statistics,
  "the end": lifecycle,
  "the event loop": responsiveness,
  damage,
  "a lease": leases,
};

/**
 * The cases for a tier; those that need an ability the subject lacks are left out.
 *
 * @throws `INVALID_ARGUMENT` for no such subject.
 */
export function tierContract(subject: TierSubject): readonly ContractCase[] {
  assertMethods("tierContract: subject", "a name with open", subject, ["open"]);
  const { name, reopen, damage: damaging } = subject;
  assertText("tierContract: name", name);
  if (reopen !== undefined) assertFunction("tierContract: reopen", reopen);
  if (damaging !== undefined) assertFunction("tierContract: damage", damaging);
  return Object.entries(GROUPS).flatMap(([group, { needs, cases }]) => {
    if (needs !== undefined && subject[needs] === undefined) return [];
    return Object.entries(cases).map(([sentence, check]) => ({
      name: `${group} ${sentence}`,
      run: async () => {
        const opened: Tier[] = [];
        try {
          await check(await caseContext(subject, opened));
        } finally {
          for (const tier of opened) await tier.close();
        }
      },
    }));
  });
}
