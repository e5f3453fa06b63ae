/**
 * Kills an import at each of its steps and at random moments between, with a target that is not
 * there and with one that is: the target is untouched or whole, and the next run goes on.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { Choices } from "../../src/testing/coherence/choices.ts";
import { ImportFolder, type IssueDocument, issues } from "../migrate/import/support.ts";

const CHILD = join(import.meta.dirname, "import-child.ts");
const ISSUES = 12_000;
const RANDOM_KILLS = 15;

/** Runs the child; kills it at a moment, or lets it kill itself at a step. */
async function run(folder: ImportFolder, source: string, step = 0, moment?: Promise<unknown>) {
  const args = ["--conditions=springhouse-source", CHILD, folder.target, source, String(step)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const exited = once(child, "exit");
  if (moment !== undefined) {
    await Promise.race([moment, exited]);
    child.kill("SIGKILL");
  }
  const [code, signal] = await exited;
  expect({ code: signal === null ? code : 0, err }).toEqual({ code: 0, err: "" });
  return { wasKilled: signal !== null, lines: out.trim().split("\n") };
}

/** Whether the target holds all of the issues; never a part of them. */
function isWhole(folder: ImportFolder, list: readonly IssueDocument[], wasThere: boolean): boolean {
  if (!existsSync(folder.target)) {
    expect(wasThere).toBe(false);
    return false;
  }
  using database = new DatabaseSync(folder.target);
  const [first] = database
    .prepare("SELECT count(*) AS n, total(points) AS p FROM issues WHERE key <> 'old'")
    .all();
  const [changes] = database.prepare("SELECT count(*) AS n FROM changes").all();
  const points = list.reduce((sum, issue) => sum + Number(issue.points), 0);
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  const all = { n: list.length, p: points, changes: list.length };
  const none = { n: 0, p: 0, changes: 0 };
  const held = { n: first?.["n"], p: first?.["p"], changes: changes?.["n"] };
  expect([all, none]).toContainEqual(held);
  if (!wasThere) expect(held).toEqual(all);
  return held.n === list.length;
}

async function scene(folder: ImportFolder, wasThere: boolean): Promise<string> {
  if (wasThere) await folder.import({ sources: await folder.file("old.json", [{ key: "old" }]) });
  return folder.file("new.json", issues(ISSUES));
}

it.each([false, true])(
  "an import killed at each step is whole after the next: %s",
  async (wasThere) => {
    const list = issues(ISSUES);
    let steps = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= steps; step++) {
      await using folder = await ImportFolder.make();
      const source = await scene(folder, wasThere);

      const killed = await run(folder, source, step);
      isWhole(folder, list, wasThere);
      const { lines } = await run(folder, source);

      expect(["imported", "unchanged"]).toContain(lines.at(-1));
      expect(isWhole(folder, list, wasThere)).toBe(true);
      const left = readdirSync(folder.path, { recursive: true }).map(String);
      expect(left.filter((name) => /importing|\.work-/.test(name))).toEqual([]);
      if (!killed.wasKilled) steps = step;
    }
  },
);

it("an import killed while it copies leaves nothing once the next has ended", async () => {
  await using folder = await ImportFolder.make();
  const source = await folder.file("new.json", [{ key: "A", note: "long ".repeat(1_000_000) }]);
  const backups = join(folder.path, "backups");
  const names = (): string[] => (existsSync(backups) ? readdirSync(backups) : []);
  const isCopying = async (): Promise<void> => {
    const isBegun = (name: string): boolean =>
      name.startsWith("migration-") || existsSync(join(backups, name, "copies"));
    while (!names().some(isBegun)) await sleep(1);
  };

  const { wasKilled } = await run(folder, source, 0, isCopying());
  expect([wasKilled, names()]).toEqual([true, [expect.stringMatching(/^\.work-/)]]);
  await run(folder, source);

  expect(names()).toEqual([expect.stringMatching(/^migration-\d{8}-\d{6}$/)]);
});

it.each([false, true])(
  "an import killed again and again comes to its end: %s",
  async (wasThere) => {
    const choices = new Choices(wasThere ? 2 : 1);
    const list = issues(ISSUES);
    await using folder = await ImportFolder.make();
    const source = await scene(folder, wasThere);
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      await run(folder, source, 0, sleep(150 + choices.fraction() * 1_200));
      if (isWhole(folder, list, wasThere)) break;
    }

    await run(folder, source);

    expect(isWhole(folder, list, wasThere)).toBe(true);
  },
);
