/** Advice on indexes and queries: `springhouse/advisor`. */

export type { Advice, AdviceReport, Proof, SlowStatement } from "./advice.ts";
export { advise } from "./advise.ts";
export {
  analyzeQuery,
  createQueryAnalyzer,
  type QueryAnalysis,
  type QueryAnalyzer,
  type QueryAnalyzerOptions,
  type QueryPattern,
} from "./analyze-query.ts";
export {
  assertNoNPlusOne,
  findNPlusOne,
  type NPlusOne,
  type NPlusOneOptions,
} from "./n-plus-one.ts";
export type { AdviseOptions, AdviseProgress } from "./options.ts";
export type { PlanLine } from "./plan.ts";
export { type ExplainedQuery, explainSlow } from "./slow.ts";
export {
  parseWorkload,
  readWorkload,
  type Workload,
  type WorkloadStatement,
} from "./workload.ts";
