import { mergeConfig, type ViteUserConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** The suite as `npm run coverage` runs it: each test process writes down what it has covered. */
const config: ViteUserConfig = mergeConfig(base, {
  test: { setupFiles: ["test/support/take-coverage.ts"] },
});
export default config;
