/** For tests of tiers and of what stands on them: `springhouse/testing`. */

export { ChaosTier, type Fault } from "./chaos-tier.ts";
export { FakeClock } from "./fake-clock.ts";
export {
  type ContractCase,
  type TierSubject,
  type TierSubjectOptions,
  tierContract,
} from "./tier-contract.ts";
