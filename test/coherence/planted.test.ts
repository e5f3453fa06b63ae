/** The bugs that `npm run test:coherence` plants can still be planted. */

import { expect, it } from "vitest";
import { PLANTED_BUGS } from "./planted/bugs.ts";
import { editedFiles } from "./planted/plant.ts";

it.each(PLANTED_BUGS)("can be planted: $name", (bug) => {
  expect(editedFiles(bug).size).toBeGreaterThan(0);
});

it("every planted bug has a name of its own", () => {
  expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
});
