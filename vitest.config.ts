import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/crash/**", "test/keyv/**"],
    globalSetup: ["test/support/global-setup.ts"],
    experimental: { viteModuleRunner: false },
    pool: "forks",
    maxWorkers: "100%",
    // Some tests measure time, and a machine of CI may be busy with something else just then.
    retry: process.env["CI"] === "true" ? 1 : 0,
    execArgv: ["--conditions=springhouse-source"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
export default config;
