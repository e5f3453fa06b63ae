/**
 * The suite that Keyv has for its own stores, over the adapter as it is shipped: `npm run build`
 * first. Run by `npm run test:keyv`.
 */

import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv } from "keyv";
import * as test from "vitest";
import { createCache, keyvStore } from "../../dist/cache/index.js";

test.describe("Keyv 5 over a category", () => {
  // One cache for all, so that namespaces have something to keep apart.
  const cache = createCache({ categories: { keyv: {} } });
  const store = () => keyvStore(cache.category("keyv"));

  keyvTestSuite(test, Keyv, store);
  keyvIteratorTests(test, Keyv, store);
});
