/** The example of the guide on tiers is this file's: it compiles, and does what is said of it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpringhouseError, type TierCallOptions } from "springhouse/cache";
import { isSpringhouseError } from "springhouse/testing";
import { expect, it } from "vitest";

// From the guide.
/** What every call but `close` begins with. */
function assertUsable(isClosed: boolean, { signal }: TierCallOptions = {}): void {
  if (isClosed) throw new SpringhouseError("CLOSED", "The tier is closed. Open another.");
  if (!signal?.aborted) return;
  throw new SpringhouseError("ABORTED", "The call was given up.", { cause: signal.reason });
}
// To here.

it("the guide on tiers shows how a tier refuses calls", () => {
  const own = readFileSync(import.meta.filename, "utf8");
  const [, example = "?"] = /\/\/ From the guide\.\n(.*?)\/\/ To here\./s.exec(own) ?? [];
  const path = join(import.meta.dirname, "../../docs/guide/cache-tiers.md");

  expect(readFileSync(path, "utf8")).toContain(example);
});

it("errors with the codes of the contract are made by what the cache exports", () => {
  const codeOf = (run: () => void): unknown => {
    try {
      run();
    } catch (error) {
      return isSpringhouseError(error) ? error.code : error;
    }
    return undefined;
  };

  expect(codeOf(() => assertUsable(true))).toBe("CLOSED");
  expect(codeOf(() => assertUsable(false, { signal: AbortSignal.abort() }))).toBe("ABORTED");
  expect(codeOf(() => assertUsable(false))).toBeUndefined();
});
