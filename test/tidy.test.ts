/** The house rules, held over the whole repository; `test/tidy/` has the rules and their tests. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/core/errors.ts";
import { brokenLinks, wrongErrorHeadings, wrongRequirements } from "./tidy/documents.ts";
import { cycles, deadFiles, wrongExports } from "./tidy/graph.ts";
import { privateImportsOfExamples, wrongDirections } from "./tidy/layers.ts";
import { longFiles, longFunctions, longLines } from "./tidy/lengths.ts";
import { readProject } from "./tidy/project.ts";
import { anyTypes, exportStars, indexImports } from "./tidy/words.ts";

const project = readProject(join(import.meta.dirname, ".."));

describe("the layers", () => {
  it("import only from the left", () => {
    expect(wrongDirections(project)).toEqual([]);
  });

  it("have no cycles", () => {
    expect(cycles(project)).toEqual([]);
  });

  it("have no file that nothing leads to", () => {
    expect(deadFiles(project)).toEqual([]);
  });

  it("are public exactly where package.json says so", () => {
    expect(wrongExports(project)).toEqual([]);
  });

  it("do not import an index, which is for users only", () => {
    expect(indexImports(project)).toEqual([]);
  });

  it("are used by the examples only through the package", () => {
    expect(privateImportsOfExamples(project)).toEqual([]);
  });
});

describe("the code", () => {
  it("has no file over 400 lines", () => {
    expect(longFiles(project)).toEqual([]);
  });

  it("has no function over 70 lines", () => {
    expect(longFunctions(project)).toEqual([]);
  });

  it("has no line over 100 columns", () => {
    expect(longLines(project)).toEqual([]);
  });

  it('has no "any"', () => {
    expect(anyTypes(project)).toEqual([]);
  });

  it('has no "export *"', () => {
    expect(exportStars(project)).toEqual([]);
  });
});

describe("the documents", () => {
  it("explain every error code, in the order of the codes", () => {
    expect(wrongErrorHeadings(project, ERROR_CODES)).toEqual([]);
  });

  it("link only to what is there", () => {
    expect(brokenLinks(project)).toEqual([]);
  });

  it("name a test for every requirement, and the test exists", () => {
    expect(wrongRequirements(project)).toEqual([]);
  });
});
