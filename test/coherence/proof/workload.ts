/**
 * The workload of the proof: questions by Kysely and as plain SQL, and writes that know of the log.
 * Each case is rich in something, so that rare things meet each other somewhere.
 */

import type { CheckCoherenceOptions } from "../../../src/testing/coherence/check-coherence.ts";
import type { Choices } from "../../../src/testing/coherence/choices.ts";
import type { ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import type { CoherenceQuery } from "../../../src/testing/coherence/subject.ts";
import {
  type CoherenceWorkload,
  RANDOM_WORKLOAD,
} from "../../../src/testing/coherence/workload.ts";
import { familyCommit, familySchema } from "./families.ts";
import { kyselyQuery } from "./kysely-queries.ts";
import { comparedQuery, orderedQuery, pointedQuery } from "./pointed-queries.ts";
import { tampered } from "./tampering.ts";
import { moreTriggers, movingCommit, movingSchema, replacing } from "./triggers.ts";
import { otherView, schemaWithViews, wholeQuery } from "./views.ts";

/** What is asked. */
export type Questions = "kysely" | "text" | "mixed";

const KYSELY_SHARE: Readonly<Record<Questions, number>> = { kysely: 1, text: 0, mixed: 0.8 };

/** What a case is rich in. */
interface Profile extends Pick<CheckCoherenceOptions, "races" | "schemaChanges"> {
  readonly schema?: CoherenceWorkload["schema"];
  readonly ddl?: (choices: Choices, tables: readonly ProofTable[]) => readonly string[];
  /** What most questions are, by Kysely or not. */
  readonly query?: (choices: Choices, tables: readonly ProofTable[]) => CoherenceQuery;
  /** What every other transaction is that nothing happens beside. */
  readonly commit?: (choices: Choices, tables: readonly ProofTable[]) => readonly string[];
  /** What becomes of the others. */
  readonly rewrite?: (choices: Choices, statements: readonly string[]) => readonly string[];
  /** Probability that a transaction of others does something to the log. Default: 0.06. */
  readonly tampering?: number;
}

const TAMPERING = 0.06;
/** Share of a profile's own questions among all. */
const OWN_QUESTIONS = 0.85;

const PROFILES = {
  nothing: {},
  tampering: { tampering: 0.4 },
  triggers: { schemaChanges: 0.15, ddl: moreTriggers, rewrite: replacing },
  races: { races: 0.4, query: wholeQuery },
  texts: { query: RANDOM_WORKLOAD.query },
  conditions: { query: pointedQuery, rewrite: replacing },
  orders: { query: orderedQuery },
  values: { query: comparedQuery, rewrite: replacing },
  moves: { schema: movingSchema, query: pointedQuery, commit: movingCommit },
  families: { schema: familySchema, query: pointedQuery, commit: familyCommit },
  snapshots: { races: 0.7, query: wholeQuery },
  views: { schemaChanges: 0.2, schema: schemaWithViews, ddl: otherView, query: wholeQuery },
} as const satisfies Readonly<Record<string, Profile>>;

/** See above. */
export type Emphasis = keyof typeof PROFILES;

/** All of them. Their number and that of the ways to try have no factor in common. */
export const EMPHASES = Object.keys(PROFILES) as readonly Emphasis[];

/** The options of a case with this emphasis. */
export function emphasized(
  questions: Questions,
  emphasis: Emphasis,
): Pick<CheckCoherenceOptions, "races" | "schemaChanges" | "workload"> {
  const profile: Profile = PROFILES[emphasis];
  const { races, schemaChanges } = profile;
  return {
    ...(races === undefined ? {} : { races }),
    ...(schemaChanges === undefined ? {} : { schemaChanges }),
    workload: workloadOf(KYSELY_SHARE[questions], profile),
  };
}

function workloadOf(kyselyShare: number, profile: Profile): CoherenceWorkload {
  const { tampering = TAMPERING, schema, ddl } = profile;
  return {
    ...RANDOM_WORKLOAD,
    ...(schema === undefined ? {} : { schema }),
    ...(ddl === undefined ? {} : { ddl }),
    query: (choices, tables) => {
      const hasTable = tables.some(({ kind }) => kind === "table");
      const { query } = profile;
      if (hasTable && query && choices.chance(OWN_QUESTIONS)) return query(choices, tables);
      const isByKysely = hasTable && choices.chance(kyselyShare);
      return isByKysely ? kyselyQuery(choices, tables) : RANDOM_WORKLOAD.query(choices, tables);
    },
    commitAlone: (choices, tables, by) => {
      const { commit, rewrite } = profile;
      const hasTable = tables.some(({ kind }) => kind === "table");
      if (commit !== undefined && hasTable && choices.chance(0.5)) return commit(choices, tables);
      const random = RANDOM_WORKLOAD.commit(choices, tables, by);
      const statements = rewrite === undefined ? random : rewrite(choices, random);
      return by === "others" && choices.chance(tampering)
        ? tampered(choices, statements)
        : statements;
    },
  };
}
