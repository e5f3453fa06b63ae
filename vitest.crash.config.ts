import { mergeConfig, type ViteUserConfig } from "vitest/config";
import base from "./vitest.config.ts";

const config: ViteUserConfig = mergeConfig(base, {
  test: {
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
// `mergeConfig` joins lists; this run wants its own.
config.test = { ...config.test, include: ["test/crash/**/*.test.ts"], exclude: [] };
export default config;
