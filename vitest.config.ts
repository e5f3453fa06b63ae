import { defineConfig, type UserConfig } from "vitest/config";

const config: UserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/crash/**"],
    globalSetup: ["test/support/global-setup.ts"],
    experimental: { viteModuleRunner: false },
    pool: "forks",
    execArgv: ["--conditions=springhouse-source"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
export default config;
