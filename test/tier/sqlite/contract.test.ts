import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { tierContract } from "../../../src/testing/tier-contract.ts";
import { type SqliteTier, sqliteTier } from "../../../src/tier/sqlite/sqlite-tier.ts";
import { drift } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "springhouse-tier-"));
const paths: string[] = [];
const key = "07".repeat(32);
const VARIANTS = {
  plain: {},
  encrypted: { encryptionKey: key },
  uncompressed: { compression: "none" },
} as const;

for (const [variant, options] of Object.entries(VARIANTS)) {
  describe(`the SQLite tier, ${variant}`, () => {
    const contract = tierContract({
      name: "sqlite",
      open: async (given) => {
        const path = join(folder, `${paths.length}`, "cache.db");
        paths.push(path);
        return sqliteTier({ path, sweepEvery: 0, ...options, ...given });
      },
      reopen: async (tier, given) =>
        sqliteTier({ path: (tier as SqliteTier).path, sweepEvery: 0, ...options, ...given }),
      damage: async (tier, damaged) => damage((tier as SqliteTier).path, damaged),
      leases: true,
    });

    for (const { name, run } of contract) it(name, run);
  });
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the files of the contract", () => {
  it("have totals, tags and parts that a recount confirms", () => {
    const used = paths.filter((path) => tables(path) > 0);

    expect(used.length).toBeGreaterThan(100);
    for (const path of used) expect(drift(path), path).toEqual([]);
  });
});

function tables(path: string): number {
  const database = open(path);
  const row = database?.prepare("SELECT count(*) AS count FROM sqlite_schema").get();
  database?.close();
  return Number(row?.["count"] ?? 0);
}

function open(path: string): DatabaseSync | undefined {
  try {
    return new DatabaseSync(path, { readOnly: true });
  } catch {
    return undefined;
  }
}

/** Changes one byte of what is stored for a key, as a bad disk does. */
function damage(path: string, name: string): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA busy_timeout = 5000");
  const flip = (bytes: Uint8Array): Uint8Array => {
    const other = Uint8Array.from(bytes);
    other[0] = (other[0] ?? 0) ^ 1;
    return other;
  };
  database.function("flip", (bytes) => flip(bytes as Uint8Array));
  database
    .prepare("UPDATE cache_entries SET value = flip(value) WHERE key = ? AND value IS NOT NULL")
    .run(name);
  database
    .prepare(
      `UPDATE cache_parts SET bytes = flip(bytes)
       WHERE id = (SELECT parts * 4096 FROM cache_entries WHERE key = ? AND parts IS NOT NULL)`,
    )
    .run(name);
  database.close();
}
