import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeSqlite } from "../../src/core/node-sqlite.ts";

const SOURCES = join(import.meta.dirname, "../../src");

it("is asked for by name, and its absence says which Node.js is needed", () => {
  expect(nodeSqlite().DatabaseSync).toBeTypeOf("function");
  expect(() => nodeSqlite(() => undefined)).toThrow(
    `Springhouse needs Node.js 24.15 or newer, this is ${process.versions.node}.`,
  );
});

it("is imported by no module, which could not be loaded elsewhere then", () => {
  const importing = globSync("**/*.ts", { cwd: SOURCES }).filter((path) =>
    /^import (?!type ).*from "node:sqlite"/m.test(readFileSync(join(SOURCES, path), "utf8")),
  );

  expect(importing).toEqual([]);
});
