import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.suite.mjs"],
    reporters: ["default", "json"],
    outputFile: { json: "../../tmp/keyv.json" },
  },
});
