/** A file that goes away while it is open. */

import { copyFileSync, existsSync, linkSync, renameSync, rmSync, utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileWatch } from "../../src/sqlite/file-watch.ts";
import { warnings } from "./fake-threads.ts";
import { open } from "./open-database.ts";
import { FakeClock, failureOf, settle, sql } from "./support.ts";

const put = (id: number): ReturnType<typeof sql> => sql("INSERT INTO t VALUES (?)", id);

describe("an open file", () => {
  it.each([
    ["deleted", (path: string) => rmSync(path), "was deleted or moved"],
    ["replaced", (path: string) => renameSync(`${path}.copy`, path), "was replaced"],
  ])("that was %s takes no writes any more, and warns once", async (_, change, words) => {
    const warned = warnings();
    const database = await open();
    await database.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
    copyFileSync(database.path, `${database.path}.copy`);

    change(database.path);
    let id = 0;
    let failure: unknown;
    while (failure === undefined) {
      id++;
      failure = await database.write([put(id)]).then(
        () => undefined,
        (error) => error,
      );
    }
    const held = await failureOf(
      database.hold((send) => send({ kind: "begin", foreignKeys: true })),
    );

    for (const error of [failure, held]) {
      expect(error).toMatchObject({ code: "UNOPENABLE", message: expect.stringContaining(words) });
    }
    expect(warned).toEqual([expect.stringMatching(/^FILE_LOST /)]);
    await database.close();
  });

  it("is neither written, read nor made by a thread that starts after it was deleted", async () => {
    const { path } = await open();
    const closing = await open({}, path);
    await closing.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
    await closing.file.writer.terminate();
    while (closing.file.writer.started) await settle();
    rmSync(path);

    const failures = [
      await failureOf(closing.write([put(1)])),
      await failureOf(closing.read(sql("SELECT count(*) FROM t"))),
    ];
    await closing.close();

    for (const failure of failures) {
      expect(failure).toMatchObject({
        code: "UNOPENABLE",
        message: expect.stringContaining("was deleted or moved"),
      });
    }
    expect(existsSync(path)).toBe(false);
  });
});

describe("the watch on a file", () => {
  it("looks now and then, and does not mind another name or another time", async () => {
    const { path } = await open();
    const clock = new FakeClock();
    const lost: string[] = [];
    const watch = new FileWatch({ path }, clock, (message) => lost.push(message));
    watch.assertInPlace();
    linkSync(path, `${path}.link`);
    utimesSync(path, 1, 1);
    clock.advance(100);
    watch.assertInPlace();

    rmSync(path);
    clock.advance(99);
    watch.assertInPlace();
    clock.advance(1);

    expect(() => watch.assertInPlace()).toThrow("was deleted");
    renameSync(`${path}.link`, path);
    clock.advance(100);
    expect(() => watch.assertInPlace()).toThrow("was deleted");
    expect(lost.length).toBe(1);
  });
});
