/** docs/errors.md explains every warning that the sources give. */

import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

it("docs/errors.md lists the code of every warning, and no other", async () => {
  const sources = await Promise.all(
    globSync("src/**/*.ts", { cwd: root }).map((path) => readFile(join(root, path), "utf8")),
  );
  const given = sources.flatMap((text) =>
    [...text.matchAll(/\bwarn\(\s*"([A-Z_]+)"/g)].map(([, code]) => code),
  );

  const document = await readFile(join(root, "docs/errors.md"), "utf8");
  const table = document.split("\n## Warnings")[1] ?? "";
  const listed = [...table.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);

  expect([...new Set(given)].sort()).toEqual(listed);
});
