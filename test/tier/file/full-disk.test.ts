import { describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import { closing, entry, filesIn, noise, smallDisk, valuesOf } from "./support.ts";

const KB = 1_024;

describe("a full disk", () => {
  it("fails that call with DISK_FULL, leaves no temporary file, and the rest serves", async ({
    skip,
  }) => {
    const folder = smallDisk();
    if (folder === undefined) return skip("mounting is not allowed here");
    const tier = closing(fileTier({ folder }));
    await tier.setMany([entry("kept", { tags: ["t"] }), entry("large", { value: "small yet" })]);

    const failure = tier.setMany([entry("large", { value: noise(2_000 * KB) })]);

    await expect(failure).rejects.toMatchObject({
      code: "DISK_FULL",
      message: expect.stringContaining("Free some space"),
    });
    expect(filesIn(folder).filter((path) => path.endsWith(".tmp"))).toEqual([]);
    // The call said that the value is another now, so the older one is gone.
    expect(await valuesOf(tier, "kept", "large")).toEqual(["value of kept", undefined]);
    expect(tier.statistics()).toMatchObject({ errors: 1, entries: 1 });
    expect(await tier.setMany([entry("next")])).toEqual(["stored"]);
  });

  it("does not keep a tag from being dropped", async ({ skip }) => {
    const folder = smallDisk();
    if (folder === undefined) return skip("mounting is not allowed here");
    const tier = closing(fileTier({ folder }));
    await tier.setMany([entry("a", { tags: ["t"] })]);
    for (let size = 512; size >= 1; size /= 2) {
      for (let at = 0; at < 3; at++) {
        const filler = entry(`${size} ${at}`, { value: noise(size * KB) });
        await tier.setMany([filler]).catch((error) => expect(error.code).toBe("DISK_FULL"));
      }
    }
    expect(await hasOf(tier, ["a"])).toEqual([true]);

    // More than what is left in the last block of the log.
    const tags = Array.from({ length: 400 }, (_, at) => `a tag that fills a block ${at}`);
    await tier.dropTags(["t", ...tags]);

    expect(await hasOf(tier, ["a"])).toEqual([false]);
    const again = closing(fileTier({ folder }));
    expect(await hasOf(again, ["a"])).toEqual([false]);
  });
});
