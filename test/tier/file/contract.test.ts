import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "vitest";
import { type TierSubject, tierContract } from "../../../src/testing/tier-contract.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import { pathOf, temporaryFolder } from "./support.ts";

/** Some cases write thousands of files several times. */
const TIMEOUT_MS = 120_000;
function subject(options: FileTierOptions = {}): TierSubject {
  const folders = new WeakMap<Tier, string>();
  const open: TierSubject["open"] = async (given) => at(temporaryFolder(), given);
  const at = (folder: string, given: object): Tier => {
    const tier = fileTier({ folder, sweepEvery: 0, ...options, ...given });
    folders.set(tier, folder);
    return tier;
  };
  return {
    name: "file",
    open,
    reopen: async (tier, given) => at(folders.get(tier) ?? "", given),
    damage: async (tier, key) => {
      const path = pathOf(folders.get(tier) ?? "", key);
      const bytes = readFileSync(path);
      const last = bytes.length - 1;
      bytes[last] = (bytes[last] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  };
}

describe("the file tier keeps the contract", () => {
  for (const { name, run } of tierContract(subject())) it(name, { timeout: TIMEOUT_MS }, run);
});

describe("the file tier keeps the contract with encryption and lz4", () => {
  const options: FileTierOptions = {
    encryptionKey: new Uint8Array(32).fill(7),
    compression: "lz4",
    compressFrom: 0,
  };
  // How long the event loop is held is measured above; more of the same would only take longer.
  const cases = tierContract(subject(options)).filter(({ name }) => !/event loop/.test(name));
  for (const { name, run } of cases) it(name, { timeout: TIMEOUT_MS }, run);
});
