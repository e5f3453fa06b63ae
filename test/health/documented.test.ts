/** What the documents say of options, thresholds and checks is what the code has. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CHECKS } from "../../src/health/checks.ts";
import { HEALTH_KEYS } from "../../src/health/options.ts";
import { THRESHOLDS } from "../../src/health/thresholds.ts";

const root = join(import.meta.dirname, "../..");

/** The cells of the rows of a section that begin with a name in code. */
async function rowsOf(path: string, heading: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(root, path), "utf8");
  const section = text.split(`${heading}\n`)[1]?.split(/\n##+ /)[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

it("the README explains every option of health, and no other", async () => {
  const rows = await rowsOf("README.md", "### Options of health");

  expect(rows.map(([name]) => name).sort()).toEqual(HEALTH_KEYS.map((key) => `\`${key}\``).sort());
});

it("the guide lists every threshold with its limits", async () => {
  const rows = await rowsOf("docs/guide/health.md", "## Thresholds");

  expect(rows).toEqual(
    Object.entries(THRESHOLDS).map(([name, { warning, unhealthy }]) =>
      [name, warning, unhealthy].map((cell) => `\`${cell}\``),
    ),
  );
});

it("the guide lists every check in the order of a report", async () => {
  const rows = await rowsOf("docs/guide/health.md", "## What is looked at");

  expect(rows.map(([name]) => name)).toEqual(CHECKS.map(({ name }) => `\`${name}\``));
});
