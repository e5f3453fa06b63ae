/** The configuration in TypeScript. */

import type { ConfigInput } from "./config.ts";
import { resolveConfig } from "./resolve.ts";
import { settingsOfObject } from "./settings.ts";

/**
 * Types and checks a configuration, and returns it as it is. Paths are resolved when it is loaded.
 *
 * @throws `CONFIG` for an unknown key or a value that cannot be used, at the place where it stands.
 * @example
 * // springhouse.config.ts
 * export default defineConfig({
 *   database: { url: "sqlite:auditor.db", pool: { maxSize: 8 } },
 *   entities: "./schema.ts",
 * });
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  resolveConfig([settingsOfObject(config, "defineConfig", "/")], "/", undefined);
  return config;
}
