import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/crash/**", "test/keyv/**"],
    globalSetup: ["test/support/global-setup.ts"],
    experimental: { viteModuleRunner: false },
    pool: "forks",
    execArgv: ["--conditions=springhouse-source"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
export default config;
