import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DropLog, type Droppable } from "../../../src/tier/file/drop-log.ts";
import { temporaryFolder } from "./support.ts";

const logs: DropLog[] = [];

afterEach(() => {
  for (const log of logs.splice(0)) log.close();
});

function open(folder: string): DropLog {
  const log = new DropLog(folder);
  logs.push(log);
  return log;
}

/** An entry that is written now. */
async function entryNow(log: DropLog, key: string, ...tags: string[]): Promise<Droppable> {
  return { ...(await log.position()), key, tags };
}

async function isKilled(log: DropLog, entry: Droppable): Promise<boolean> {
  await log.refresh();
  return log.kills(entry);
}

describe("a drop", () => {
  it("kills what was written before, by tag, by prefix, and altogether", async () => {
    const log = open(temporaryFolder());
    const entries = [
      await entryNow(log, "user:1", "red"),
      await entryNow(log, "user:2", "blue"),
      await entryNow(log, "shop:1", "blue", "red"),
      await entryNow(log, "shop"),
    ];
    const killed = (): boolean[] => entries.map((each) => log.kills(each));

    expect(killed()).toEqual([false, false, false, false]);
    await log.append({ tags: ["red", "none"] });
    expect(killed()).toEqual([true, false, true, false]);
    await log.append({ prefix: "user:" });
    expect(killed()).toEqual([true, true, true, false]);
    await log.append({ prefix: "" });
    expect(killed()).toEqual([true, true, true, true]);
    expect(log.kills(await entryNow(log, "user:1", "red", "blue"))).toBe(false);
  });

  it("holds for another process at its next look, and after a restart", async () => {
    const folder = temporaryFolder();
    const [here, there] = [open(folder), open(folder)];
    const entry = await entryNow(here, "a", "t");
    expect(await isKilled(there, entry)).toBe(false);

    await here.append({ tags: ["t"] });

    expect(await isKilled(there, entry)).toBe(true);
    expect(await isKilled(open(folder), entry)).toBe(true);
    expect(await isKilled(there, await entryNow(there, "a", "t"))).toBe(false);
  });

  it("is not lost among those of others at the same time", async () => {
    const folder = temporaryFolder();
    const all = Array.from({ length: 4 }, () => open(folder));
    const entries = await Promise.all(
      Array.from({ length: 200 }, (_, at) => entryNow(all[at % 4] as DropLog, "k", `tag ${at}`)),
    );
    // Four processes that begin at once agree on one log.
    expect(new Set(entries.map(({ log }) => log)).size).toBe(1);

    await Promise.all(
      all.map(async (log, worker) => {
        for (let at = worker; at < entries.length; at += all.length) {
          await log.append({ tags: [`tag ${at}`] });
          if (at % 9 === 0) await log.rotate(1);
        }
      }),
    );

    expect(readdirSync(folder).length).toBeGreaterThan(3);
    for (const log of [...all, open(folder)]) {
      for (const entry of entries) expect(await isKilled(log, entry)).toBe(true);
    }
  });
});

describe("the log of drops", () => {
  it("goes on in another file, where positions still follow one another", async () => {
    const folder = temporaryFolder();
    const [here, there] = [open(folder), open(folder)];
    const before = await entryNow(here, "a", "t");
    await here.append({ tags: ["other"] });
    await here.rotate(1);
    const between = await entryNow(there, "b", "t");

    await there.append({ tags: ["t"] });
    const after = await entryNow(here, "c", "t");

    expect(here.segment).toBe(2);
    for (const log of [here, there, open(folder)]) {
      expect(await isKilled(log, before)).toBe(true);
      expect(await isKilled(log, between)).toBe(true);
      expect(await isKilled(log, after)).toBe(false);
    }
  });

  it("forgets files that were left, and the entries that are left live on", async () => {
    const folder = temporaryFolder();
    const [here, there] = [open(folder), open(folder)];
    const survivor = await entryNow(here, "a", "t");
    await there.refresh();
    await here.append({ tags: ["other"] });
    for (let round = 0; round < 3; round++) await here.rotate(1);

    await here.forgetBefore(here.segment);

    expect(readdirSync(folder)).toEqual(["4"]);
    for (const log of [here, there, open(folder)]) {
      expect(await isKilled(log, survivor)).toBe(false);
    }
    expect(await here.isForgotten(survivor)).toBe(true);
    await there.append({ tags: ["t"] });
    for (const log of [here, there, open(folder)]) {
      expect(await isKilled(log, survivor)).toBe(true);
    }
  });

  it("survives half lines and garbage, which hurt no other line", async () => {
    const folder = temporaryFolder();
    const log = open(folder);
    const entry = await entryNow(log, "a", "t", "u");
    appendFileSync(join(folder, "1"), '\n{"tags":["u"');
    await log.refresh();
    expect(log.kills(entry)).toBe(false);

    await log.append({ tags: ["t"] });
    appendFileSync(join(folder, "1"), '\nnull\n1\n[]\n{"tags":5}\n{"next":"x"}\n{"prefix":7}\n');
    const other = await entryNow(log, "a", "u");
    await log.append({ tags: ["u"] });

    for (const each of [log, open(folder)]) {
      expect(await isKilled(each, entry)).toBe(true);
      expect(await isKilled(each, other)).toBe(true);
    }
  });

  it("begins anew when it was deleted, and what belonged to the old one is dead", async () => {
    const folder = temporaryFolder();
    const log = open(folder);
    const old = await entryNow(log, "a", "t");

    rmSync(folder, { recursive: true });
    expect(await isKilled(log, old)).toBe(true);
    await log.append({ tags: ["t"] });
    const next = await entryNow(log, "a", "t");

    expect(log.kills(next)).toBe(false);
    await log.append({ tags: ["t"] });
    expect(log.kills(next)).toBe(true);
    expect(await isKilled(open(folder), next)).toBe(true);
  });

  it("keeps to files that are its own", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "0"), "x");
    writeFileSync(join(folder, "notes.txt"), "x");
    const log = open(folder);

    await log.append({ tags: ["t"] });

    expect(readdirSync(folder).sort()).toEqual(["0", "1", "notes.txt"]);
    expect(readFileSync(join(folder, "1"), "utf8")).toContain('"tags":["t"]');
  });

  it("looks up long and many prefixes without going through all of them", async () => {
    const log = open(temporaryFolder());
    const entry = await entryNow(log, `prefix 999:${"x".repeat(10_000)}`);
    for (let at = 0; at < 500; at++) await log.append({ prefix: `prefix ${at}:` });

    expect(log.kills(entry)).toBe(false);
    await log.append({ prefix: entry.key.slice(0, 9_000) });
    expect(log.kills(entry)).toBe(true);
  });
});
