import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type SpringhouseDialectOptions, springhouseDialect } from "../../src/kysely/index.ts";
import { DIALECT_KEYS } from "../../src/kysely/options.ts";

const refusal = (options: object): Promise<unknown> =>
  springhouseDialect(options as SpringhouseDialectOptions).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("the options of the dialect", () => {
  test.each([
    [{ url: "sqlite:a.db", busyTimout: "5s" }, 'Did you mean "busyTimeout"?'],
    [
      { url: "sqlite:a.db", pool: { maxsize: 3 } },
      'springhouseDialect: pool: unknown option "maxsize"',
    ],
    [{ url: "sqlite:a.db", cache: { freshness: "now" } }, "springhouseDialect: cache: freshness"],
    [{ url: "sqlite:a.db", cache: false }, "cache cannot be false"],
    [{ database: {} }, 'give url: "sqlite:app.db" in its place'],
    [{ url: "sqlite:a.db", entities: [] }, "belong to open() of springhouse"],
    [{ url: "sqlite:a.db", clock: {} }, "springhouseDialect: clock"],
    [{}, "is not the URL of a SQLite database"],
  ])("%j is refused with what is wrong", async (options, message) => {
    expect(String(await refusal(options))).toContain(message);
  });

  test.each([
    ["postgres://me:secret@host/app", "PostgreSQL is for a later version"],
    ["postgresql://host/app", "PostgreSQL is for a later version"],
    ["app.db", 'Give "sqlite:app.db"'],
  ])("%s is not the URL of a database that we open", async (url, message) => {
    const error = await refusal({ url });

    expect(error).toMatchObject({ code: "INVALID_URL" });
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain("secret");
  });

  test("are all in the guide, and no others", async () => {
    const guide = join(import.meta.dirname, "../../docs/guide/kysely.md");
    const section = (await readFile(guide, "utf8")).split("## Options")[1]?.split("\n## ")[0] ?? "";

    const names = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);

    expect(names.sort()).toEqual([...DIALECT_KEYS].sort());
  });
});
