/** How the log of changes is made, and what it stands in nobody's way of. */

import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { nextTurn, openWeeks } from "./support.ts";

describe("the preparation of the log", () => {
  it("needs nothing of the main thread while it holds the write lock", async () => {
    const { db, path } = await openWeeks();
    // It blocks the main thread for a second when somebody else holds the lock meanwhile.
    const plain = new DatabaseSync(path, { timeout: 1_000 });
    onTestFinished(() => plain.close());
    plain.exec("PRAGMA synchronous = OFF");
    const count = db.cached("count", (q) =>
      q
        .selectFrom("tasks")
        .select((e) => e.fn.countAll().as("n"))
        .execute(),
    );
    let done = false;

    const first = count().finally(() => {
      done = true;
    });
    while (!done) {
      plain.exec("UPDATE weeks SET label = 'x' WHERE id = 1");
      await nextTurn();
    }

    expect(await first).toEqual([{ n: 4 }]);
    expect(plain.prepare("SELECT count(*) AS n FROM springhouse_log").get()?.["n"]).not.toBe(0);
    expect(plain.prepare("SELECT 1 FROM sqlite_schema WHERE name LIKE '%log_test%'").all()).toEqual(
      [],
    );
  });
});
