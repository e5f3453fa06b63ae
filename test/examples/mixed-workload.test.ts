import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkIntegrity, openAuditor } from "../../examples/auditor/database.ts";
import { measureLive } from "../../examples/auditor/measure-live.ts";
import {
  type CheckedRead,
  judge,
  runMixedWorkload,
} from "../../examples/auditor/mixed-workload.ts";
import { mixedWrite } from "../../examples/auditor/mixed-writes.ts";
import { Week } from "../../examples/auditor/schema.ts";
import { randomNumbers } from "../../examples/common/random.ts";
import { temporaryFolder } from "./auditor-database.ts";

describe("the mixed workload", () => {
  it("finds no stale read beside a process that knows nothing of us, and leaves nothing", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "auditor.db");

    const report = await runMixedWorkload(path, { operations: 5_000, seed: 3 });

    expect(report).toMatchObject({
      operations: 5_000,
      reads: 4_900,
      ownWrites: 50,
      foreignWrites: 50,
      staleReads: 0,
    });
    expect(report.hits).toBeGreaterThan(4_000);
    expect(report.uncheckedReads).toBeLessThan(10);
    await using db = await openAuditor(path);
    expect(await db.repository(Week).count()).toBe(0);
    expect(await checkIntegrity(db)).toEqual([]);
  });

  it("takes a read for stale when nothing that was committed explains it", () => {
    const read = (given: number, after: number, isQuiet: boolean): CheckedRead => ({
      given,
      before: 1,
      after: () => after,
      isQuiet: () => isQuiet,
    });

    expect(judge(read(1, 2, false))).toBe("right");
    expect(judge(read(2, 2, false))).toBe("right");
    expect(judge(read(3, 2, false))).toBe("unchecked");
    expect(judge(read(3, 1, true))).toBe("stale");
  });

  it("writes in every way that there is, the same for the same seed", () => {
    const make = (seed: number): string[] => {
      const random = randomNumbers(seed);
      return Array.from({ length: 300 }, () => JSON.stringify(mixedWrite(random, [1, 2], 5)));
    };

    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
    for (const verb of ["UPDATE tasks", "INSERT", "DELETE", "REPLACE", "UPDATE weeks"]) {
      expect(make(1).some((write) => write.includes(`"${verb}`))).toBe(true);
    }
  });
});

describe("the measurement of live updates", () => {
  it("sees every commit of both processes", async () => {
    using folder = temporaryFolder();

    const { own, foreign } = await measureLive(join(folder.path, "auditor.db"));

    expect([own, foreign]).toMatchObject([{ seen: 25 }, { seen: 25 }]);
  });

  it("ends when it is given up", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "auditor.db");

    const given = measureLive(path, AbortSignal.abort());

    await expect(given).rejects.toMatchObject({ name: "AbortError" });
  });
});
