import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { newPath, open, Source, until } from "./journal-support.ts";

/** Leaves changes in a journal that the source did not take. @returns the path of the journal. */
async function leave(
  version: string,
  values: Readonly<Record<string, unknown>>,
  path: string = newPath(),
): Promise<string> {
  const source = new Source();
  source.error = new Error("down");
  const { mine, cache } = open({ path, source, version });
  await mine.setMany(Object.entries(values));
  await cache.close();
  return path;
}

/** The warnings of a test, as they come. */
function warnings(): unknown[] {
  const heard: unknown[] = [];
  const hear = (warning: unknown): void => void heard.push(warning);
  warningChannel.subscribe(hear);
  onTestFinished(() => void warningChannel.unsubscribe(hear));
  return heard;
}

describe("changes that another version has journalled", () => {
  it("are neither read nor saved by this one, which warns of them", async () => {
    const heard = warnings();
    const path = await leave("1", { a: "old shape", b: "old shape" });

    const { mine, source } = open({ path, version: "2", category: { load: () => "source" } });
    await until(() => heard.length > 0);

    expect(heard).toEqual([
      {
        code: "CACHE_JOURNAL_VERSION",
        message: expect.stringContaining('2 of version "1"'),
        fields: { scope: "cache/mine", version: "2", others: { 1: 2 } },
      },
    ]);
    expect(await mine.get("a")).toBe("source");
    expect(await mine.getMany(["a", "b"])).toEqual(["source", "source"]);
    await mine.flush();
    expect(source.calls).toBe(0);
  });

  it("are saved once by a cache of their version, beside the new one", async () => {
    const path = await leave("1", { a: "old shape" });
    const next = open({ path, version: "2" });
    await next.mine.set("b", "new shape");
    await next.mine.flush();

    const old = open({ path, version: "1" });
    await old.mine.flush();
    await old.mine.flush();

    expect(next.source.batches).toEqual([[{ kind: "set", key: "b", value: "new shape" }]]);
    expect(old.source.batches).toEqual([[{ kind: "set", key: "a", value: "old shape" }]]);
  });

  it("do not come after a newer change of their key that is saved", async () => {
    const path = await leave("1", { a: "old shape", b: "old shape" });
    const next = open({ path, version: "2" });
    await next.mine.set("a", "new shape");
    await next.mine.flush();

    const old = open({ path, version: "1" });
    await old.mine.flush();

    expect(old.source.batches).toEqual([[{ kind: "set", key: "b", value: "old shape" }]]);
  });

  it("stay when they are newer than what is saved of their key", async () => {
    const path = await leave("2", { a: "first" });
    await leave("1", { a: "second" }, path);
    await leave("2", { b: "third" }, path);

    const next = open({ path, version: "2" });
    await next.mine.flush();
    const old = open({ path, version: "1" });
    await old.mine.flush();

    expect([...next.source.values]).toEqual([
      ["a", "first"],
      ["b", "third"],
    ]);
    expect([...old.source.values]).toEqual([["a", "second"]]);
  });

  it("are those of version 1 in a journal from before there were versions", async () => {
    const path = newPath();
    mkdirSync(dirname(path), { recursive: true });
    const file = new DatabaseSync(path);
    file.exec(`CREATE TABLE journal (seq INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL,
      key TEXT NOT NULL, codec TEXT, value BLOB, created_at INTEGER NOT NULL) STRICT;
      INSERT INTO journal (scope, key, codec, value, created_at)
      VALUES ('cache/mine', 'a', 'json', CAST('"kept"' AS BLOB), 0);`);
    file.close();

    const { mine, source } = open({ path });
    await mine.flush();

    expect(source.values.get("a")).toBe("kept");
  });
});
