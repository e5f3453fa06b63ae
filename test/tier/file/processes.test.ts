import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { TierEntry } from "../../../src/tier/tier.ts";
import { type Call, checkedValue, KEYS_WRITTEN } from "./child.ts";
import { closing, entry, filesIn, listed, temporaryFolder, valuesOf } from "./support.ts";

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(folder: string, mode: "serve" | "write"): ChildProcess {
  const child = fork(join(import.meta.dirname, "child.ts"), [folder, mode], {
    execArgv: ["--conditions=springhouse-source"],
    serialization: "advanced",
  });
  children.push(child);
  return child;
}

type Ask = (method: Call["method"], argument?: unknown) => Promise<unknown>;

/** Starts a process that does what it is asked. */
async function other(folder: string): Promise<Ask> {
  const child = start(folder, "serve");
  await once(child, "message");
  let ids = 0;
  return (method, argument) => {
    const id = ++ids;
    return new Promise((resolve, reject) => {
      child.on("message", function answer(message: { id: number; value: unknown; error?: string }) {
        if (message.id !== id) return;
        child.off("message", answer);
        if (message.error === undefined) resolve(message.value);
        else reject(new Error(message.error));
      });
      child.send({ id, method, argument });
    });
  };
}

async function valueThere(ask: Ask, key: string): Promise<unknown> {
  const [found] = (await ask("getMany", [key])) as (TierEntry | undefined)[];
  return found?.value;
}

describe("two processes that share a folder", () => {
  it("see at once what the other has set, replaced and dropped", async () => {
    const folder = temporaryFolder();
    const here = closing(fileTier({ folder }));
    const there = await other(folder);

    await here.setMany([entry("a", { tags: ["t"] }), entry("b"), entry("user:1")]);
    expect(await valueThere(there, "a")).toBe("value of a");

    await there("setMany", [entry("a", { value: 2, tags: ["t"] })]);
    expect(await valuesOf(here, "a")).toEqual([2]);

    await here.dropMany(["b"]);
    expect(await valueThere(there, "b")).toBe(undefined);

    await there("dropTags", ["t"]);
    expect(await valuesOf(here, "a")).toEqual([undefined]);

    await there("dropPrefix", "user:");
    expect(await hasOf(here, ["user:1"])).toEqual([false]);
    expect(await listed(here)).toEqual([]);

    await here.setMany([entry("a", { tags: ["t"] })]);
    expect(await valueThere(there, "a")).toBe("value of a");
    await here.clear();
    expect(await valueThere(there, "a")).toBe(undefined);
    expect(here.statistics().errors).toBe(0);
  });

  it("list, count and sweep the entries of the other", async () => {
    const folder = temporaryFolder();
    const here = closing(fileTier({ folder }));
    const there = await other(folder);
    await there("setMany", [entry("a"), entry("b", { tags: ["t"] }), entry("c")]);

    expect(await listed(here)).toEqual(["a", "b", "c"]);
    expect(here.statistics().entries).toBe(3);

    await there("dropMany", ["a"]);
    await there("dropTags", ["t"]);
    expect(await here.sweep()).toEqual({ expired: 0, reclaimed: 1 });
    expect(here.statistics().entries).toBe(1);
    expect(await listed(here)).toEqual(["c"]);
  });

  it("keep the newest of a key, whoever wrote it", async () => {
    const folder = temporaryFolder();
    const here = closing(fileTier({ folder }));
    const there = await other(folder);
    const early = entry("a", { value: "early", createdMs: Date.now() - 1_000 });

    await there("setMany", [entry("a", { value: "late" })]);

    expect(await here.setMany([early])).toEqual(["outdated"]);
    expect(await valuesOf(here, "a")).toEqual(["late"]);
  });

  it("hold their bounds together after a sweep", async () => {
    const folder = temporaryFolder();
    const here = closing(fileTier({ folder, maxEntries: 10 }));
    const there = await other(folder);
    await there(
      "setMany",
      Array.from({ length: 50 }, (_, at) => entry(`key ${at}`)),
    );

    expect(await here.sweep()).toEqual({ expired: 0, reclaimed: 40 });
    expect(await listed(here)).toHaveLength(10);
  });
});

describe("a process that is killed while it writes", () => {
  it("leaves nothing corrupt, and its temporary files are swept", {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryFolder();
    const reader = closing(fileTier({ folder }));
    const temporary = (): string[] => filesIn(folder).filter((path) => path.endsWith(".tmp"));
    let read = 0;
    // Until a kill has also fallen into the middle of a write.
    for (let round = 0; round < 12 || (temporary().length === 0 && round < 100); round++) {
      const child = start(folder, "write");
      await once(child, "message");
      await wait(10 + ((round * 37) % 90));
      child.kill("SIGKILL");
      for (const tier of [reader, closing(fileTier({ folder }))]) {
        for (const found of await tier.getMany(KEYS_WRITTEN)) {
          if (found === undefined) continue;
          const { round: made } = found.value as { round: number };
          expect(found.value).toEqual(checkedValue(made));
          read++;
        }
        expect(tier.statistics().errors).toBe(0);
      }
    }
    expect(read).toBeGreaterThan(100);

    const left = temporary();
    const long = Date.now() / 1_000 - 90;
    for (const path of left) utimesSync(join(folder, path), long, long);
    await reader.sweep();

    expect(left.length).toBeGreaterThan(0);
    expect(temporary()).toEqual([]);
    expect(filesIn(folder).filter((path) => path.startsWith("quarantine"))).toEqual([]);
  });
});
