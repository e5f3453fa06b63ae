/**
 * The suite that Keyv has for its own stores, over the adapter as it is shipped: `npm run build`
 * first. Run by `npm run test:keyv`.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv } from "keyv";
import * as test from "vitest";
import { keyvStore } from "../../dist/cache/index.js";
import { createConfiguredCache, loadConfig } from "../../dist/index.js";

/** Tiers behind memory, by what the configuration says of them. */
const BEHIND_MEMORY = {
  nothing: { sqlite: { enabled: false }, files: { enabled: false } },
  SQLite: { files: { enabled: false } },
  files: { sqlite: { enabled: false } },
};

const folder = mkdtempSync(join(tmpdir(), "springhouse-keyv-"));
test.afterAll(() => rmSync(folder, { recursive: true }));

for (const [name, cacheSection] of Object.entries(BEHIND_MEMORY)) {
  const overrides = { cache: cacheSection };
  const config = await loadConfig({ cwd: join(folder, name), env: {}, overrides });
  // One cache for all, so that namespaces have something to keep apart.
  const cache = await createConfiguredCache(config, { categories: { keyv: {} }, strict: true });
  const store = () => keyvStore(cache.category("keyv"));

  test.describe(`Keyv 5 over memory and ${name}`, () => {
    test.afterAll(() => cache.close());
    keyvTestSuite(test, Keyv, store);
    keyvIteratorTests(test, Keyv, store);
  });
}
