import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../../src/core/errors.ts";
import type { Database } from "../../../src/sqlite/database.ts";
import { Lookup } from "../../../src/tier/sqlite/lookup.ts";
import { HEADS } from "../../../src/tier/sqlite/statements.ts";

/** A database whose main thread answers as slowly, or as badly, as it is told. */
function fakeDatabase(): {
  database: Database;
  asked: string[];
  disk: { ms: number; busy: boolean };
} {
  const asked: string[] = [];
  const disk = { ms: 0, busy: false };
  const readAll = (): { rows: unknown[] } => {
    asked.push("inline");
    const endMs = performance.now() + disk.ms;
    while (performance.now() < endMs);
    if (disk.busy) throw new SpringhouseError("BUSY", "busy");
    return { rows: [] };
  };
  const read = async (): Promise<{ rows: unknown[] }> => {
    asked.push("thread");
    return { rows: [] };
  };
  const database = { file: { inline: { connection: { readAll } } }, read };
  return { database: database as unknown as Database, asked, disk };
}

describe("a lookup", () => {
  const ask = (lookup: Lookup, database: Database) =>
    lookup.rows(database, HEADS, ["a"], undefined);

  it("goes to a thread while the main thread finds the database busy", async () => {
    const { database, asked, disk } = fakeDatabase();
    const lookup = new Lookup();
    disk.busy = true;
    await ask(lookup, database);
    disk.busy = false;
    await ask(lookup, database);

    expect(asked).toEqual(["inline", "thread", "inline"]);
  });

  it("goes to a thread for a while when it was slow several times, not for one slow run", async () => {
    const { database, asked, disk } = fakeDatabase();
    const lookup = new Lookup();
    disk.ms = 3;
    await ask(lookup, database);
    disk.ms = 0;
    for (let run = 0; run < 30; run++) await ask(lookup, database);
    expect(asked).not.toContain("thread");

    disk.ms = 3;
    for (let run = 0; run < 4; run++) await ask(lookup, database);

    expect(asked.at(-1)).toBe("thread");
    expect(asked.filter((where) => where === "thread").length).toBe(1);
  });
});
