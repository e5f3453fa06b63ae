/** For tests of tiers, of what stands on them, and of caches: `springhouse/testing`. */

export {
  type ErrorCode,
  type ErrorDetails,
  isSpringhouseError,
  SpringhouseError,
} from "../core/errors.ts";
export { ChaosTier, type Fault } from "./chaos-tier.ts";
export type {
  CoherenceCase,
  CoherenceFailure,
  CommitStep,
  QueriesStep,
  RaceEvent,
  RaceStep,
  Step,
} from "./coherence/case.ts";
export {
  type CheckCoherenceOptions,
  type CoherenceReport,
  checkCoherence,
  type FailedCase,
  runCase,
} from "./coherence/check-coherence.ts";
export { Choices } from "./coherence/choices.ts";
export type { CoherenceCounts } from "./coherence/counts.ts";
export type { ProofAffinity, ProofColumn, ProofTable } from "./coherence/proof-table.ts";
export {
  type SpringhouseSubjectOptions,
  springhouseSubject,
} from "./coherence/springhouse-subject.ts";
export type {
  CoherenceQuery,
  CoherenceRows,
  CoherenceSubject,
  OpenSubject,
  QueryValue,
} from "./coherence/subject.ts";
export { type CoherenceWorkload, RANDOM_WORKLOAD } from "./coherence/workload.ts";
export { FakeClock } from "./fake-clock.ts";
export {
  type ContractCase,
  type TierSubject,
  type TierSubjectOptions,
  tierContract,
} from "./tier-contract.ts";
