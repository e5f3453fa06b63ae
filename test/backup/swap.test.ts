/** A swap that fails at each of its steps: the old database is back whole, and the error says so. */

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { DatabaseHold, SWAP_STEPS, type SwapSteps } from "../../src/backup/swap.ts";
import { isSpringhouseError } from "../../src/core/errors.ts";
import { setAside } from "../../src/sqlite/files.ts";
import { ask, execute, failureOf, fillDatabase, makePlace } from "./support.ts";

const NO_DATABASE = "no database, for sure ".repeat(1_000);
const NO_LOG = "and no log either";
const COUNT = "SELECT count(*) AS n FROM tasks";

/** A database, and a file with 50 rows that is to take its place. */
interface Scene {
  readonly folder: string;
  readonly path: string;
  readonly restored: string;
}

function scene(): Scene {
  const { folder, path } = makePlace();
  const restored = join(folder, "app.db.restoring-1");
  fillDatabase(restored, 50);
  return { folder, path, restored };
}

/** The file has 100 rows, and its log, which a killed process has left, leaves 7 of them. */
function logged(): Scene {
  const made = scene();
  const source = join(made.folder, "source.db");
  fillDatabase(source, 100);
  {
    using database = new DatabaseSync(source);
    database.exec("DELETE FROM tasks WHERE id > 7");
    for (const part of ["", "-wal"]) copyFileSync(source + part, made.path + part);
  }
  rmSync(source);
  return made;
}

function damaged(): Scene {
  const made = scene();
  writeFileSync(made.path, NO_DATABASE);
  return made;
}

/** Steps that do what they do, except for those that fail, as on a disk that breaks. */
function faulty(fails: (call: number, step: string) => boolean): SwapSteps {
  let calls = 0;
  const steps = Object.entries(SWAP_STEPS).map(([name, step]) => {
    const attempt = (...parameters: unknown[]): unknown => {
      if (!fails(++calls, name)) return (step as (...given: unknown[]) => unknown)(...parameters);
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: "EIO" });
    };
    return [name, attempt];
  });
  return Object.fromEntries(steps) as SwapSteps;
}

/** Swaps; the message of its failure. */
function swap({ path, restored }: Scene, steps: SwapSteps, setOldAside: boolean) {
  using hold = new DatabaseHold(path, steps);
  // SQLite removes the log of what is no database when it has tried to open it.
  if (hold.begin().state === "damaged") writeFileSync(`${path}-wal`, NO_LOG);
  try {
    hold.swap(restored, setOldAside);
    return undefined;
  } catch (error) {
    if (!isSpringhouseError(error, "IO") && !isSpringhouseError(error, "UNOPENABLE")) throw error;
    return error.message;
  }
}

/** Lets the first call fail, then the second one, and so on until none is left to fail. */
function eachFailing(
  make: () => Scene,
  setOldAside: boolean,
  isBroken: (step: string) => boolean,
  check: (made: Scene, failure: string | undefined) => void,
): readonly string[] {
  const failed: string[] = [];
  for (let failing = 1; failed.length === failing - 1; failing++) {
    const made = make();
    const steps = faulty((call, step) => {
      if (call === failing) failed.push(step);
      return call === failing || isBroken(step);
    });
    check(made, swap(made, steps, setOldAside));
  }
  return failed;
}

describe("a swap that fails at any of its steps", () => {
  const none = (): boolean => false;
  const companions = ["rmSync", "rmSync", "rmSync"];

  it.each([
    ["", none, "linkSync"],
    [", on a file system without links", (step: string) => step === "linkSync", "renameSync"],
  ])("leaves the old database with all that was in its log%s", (_, isBroken, second) => {
    const failed = eachFailing(logged, false, isBroken, (made, failure) => {
      const { path, folder, restored } = made;
      // Without links the file is renamed, and nobody has to know.
      const isDone = failure === undefined;
      if (!isDone) expect(failure).toContain(`${path} is as it was before.`);
      rmSync(restored, { force: true });
      expect(ask(path, "PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }]);
      expect(ask(path, COUNT)).toEqual([{ n: isDone ? 50 : 7 }]);
      expect(ask(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
      expect(readdirSync(folder)).toEqual(["app.db"]);
    });

    const start = ["beginNewHistory", "chmodSync", "syncFile", "rmSync"];
    const keep = second === "linkSync" ? ["linkSync"] : ["linkSync", "renameSync"];
    const end = ["renameSync", "syncFile", "assertOpens", "rmSync"];
    expect(failed).toEqual([...start, ...keep, ...companions, ...end]);
  });

  it("leaves the files of a damaged database as they were, its log too", () => {
    const failed = eachFailing(damaged, true, none, ({ path, folder, restored }, failure) => {
      rmSync(restored, { force: true });
      if (failure === undefined) {
        expect(ask(path, COUNT)).toEqual([{ n: 50 }]);
        return;
      }
      expect(failure).toContain(`${path} is as it was before.`);
      expect(readFileSync(path, "utf8")).toBe(NO_DATABASE);
      expect(readFileSync(`${path}-wal`, "utf8")).toBe(NO_LOG);
      expect(readdirSync(folder).sort()).toEqual(["app.db", "app.db-wal"]);
    });

    const start = ["beginNewHistory", "chmodSync", "syncFile", "setAside"];
    expect(failed).toEqual([...start, ...companions, "renameSync", "syncFile", "assertOpens"]);
  });

  it("makes no empty file of one that is gone, and leaves the database", () => {
    const { folder, path, restored } = scene();
    fillDatabase(path, 7);
    // As the next restore does, when the process of a killed one is still at work.
    rmSync(restored);

    const failure = swap({ folder, path, restored }, SWAP_STEPS, false);

    expect(failure).toContain(restored);
    expect(failure).toContain(`${path} is as it was before.`);
    expect(readdirSync(folder)).toEqual(["app.db"]);
    expect(ask(path, COUNT)).toEqual([{ n: 7 }]);
  });

  it("leaves no database where there was none", () => {
    const failed = eachFailing(scene, false, none, ({ path, folder, restored }, failure) => {
      rmSync(restored, { force: true });
      if (failure === undefined) expect(ask(path, COUNT)).toEqual([{ n: 50 }]);
      else expect(readdirSync(folder)).toEqual([]);
    });

    const start = ["beginNewHistory", "syncFile"];
    expect(failed).toEqual([...start, ...companions, "renameSync", "syncFile", "assertOpens"]);
  });

  it("says where the old database is when it cannot be put back either", () => {
    const made = logged();
    const isBroken = (_: number, step: string): boolean => /assertOpens|renameDatabase/.test(step);

    const failure = swap(made, faulty(isBroken), false);

    const old = `${made.path}.before-restore`;
    expect(failure).toContain(`could not be put back: EIO: i/o error, renameDatabase`);
    expect(failure).toContain(`It is whole, as ${old}`);
    expect(ask(old, COUNT)).toEqual([{ n: 7 }]);
  });
});

describe("a restore whose swap fails", () => {
  it("says that the database is as it was, and keeps the backup of it", async () => {
    const { path, url, directory, folder } = makePlace();
    fillDatabase(path, 100);
    await createBackup({ url, directory, name: "first" });
    execute(path, "DELETE FROM tasks WHERE id > 7");
    // A folder where the old file would get its second name.
    mkdirSync(`${path}.before-restore/in the way`, { recursive: true });

    const failure = await failureOf(restoreBackup({ directory, name: "first", url }));

    expect(failure.message).toContain(`${path} is as it was before.`);
    expect(ask(path, COUNT)).toEqual([{ n: 7 }]);
    expect(readdirSync(folder).sort()).toEqual(["app.db", "app.db.before-restore", "backups"]);
    rmSync(`${path}.before-restore`, { recursive: true });
    await restoreBackup({ directory, name: "first", url });
    expect(ask(path, COUNT)).toEqual([{ n: 100 }]);
  });
});

describe("a database that is set aside", () => {
  it("comes with its log, or stays where it is", () => {
    const { path, folder } = damaged();
    writeFileSync(`${path}-wal`, NO_LOG);
    const aside = `${path}.damaged-1970-01-01T00-00-00-000Z`;
    mkdirSync(join(`${aside}-wal`, "in the way"), { recursive: true });

    expect(() => setAside(path, 0)).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);

    expect(existsSync(aside)).toBe(false);
    expect(readFileSync(path, "utf8")).toBe(NO_DATABASE);
    expect(readdirSync(folder)).toContain("app.db-wal");
  });
});
