/** Each rule is shown a small planted violation, and the right form beside it. */

import { describe, expect, it } from "vitest";
import { cycles, deadFiles, wrongExports } from "./graph.ts";
import { privateImportsOfExamples, wrongDirections } from "./layers.ts";
import { functionsOf, longFiles, longFunctions, longLines } from "./lengths.ts";
import { importsOf, planted } from "./project.ts";
import { anyTypes, exportStars, indexImports } from "./words.ts";

const lines = (count: number): string => "x();\n".repeat(count);

describe("the imports of a source", () => {
  it("are found in every form, and not in comments or strings", () => {
    const text = [
      'import { a } from "./a.ts";',
      'import type {\n  B,\n} from "../b/b.ts";',
      'import "./c.ts";',
      'export { d } from "./d.ts";',
      'const e = await import("./e.ts");',
      '// import { f } from "./f.ts";',
      "const g = 'import { h } from \"./h.ts\"';",
    ].join("\n");

    const targets = importsOf("src/x/x.ts", text).map(({ target, dynamic }) => [target, dynamic]);

    expect(targets).toEqual([
      ["src/x/a.ts", false],
      ["src/b/b.ts", false],
      ["src/x/d.ts", false],
      ["src/x/c.ts", false],
      ["src/x/e.ts", true],
    ]);
  });
});

describe("the rule on directions", () => {
  it("allows the left and the own folder, with types and dynamic imports alike", () => {
    const project = planted({
      "src/store/a.ts": 'import { b } from "./b.ts";\nimport type { c } from "../core/c.ts";',
      "src/open.ts": 'await import("./store/a.ts");',
    });

    expect(wrongDirections(project)).toEqual([]);
  });

  it("refuses the right, the own group, and what is outside of src", () => {
    const project = planted({
      "src/core/a.ts": 'import type { b } from "../store/b.ts";',
      "src/store/b.ts": 'import { c } from "../cache/c.ts";',
      "src/cache/c.ts": 'import { d } from "../../test/d.ts";',
      "src/schema/d.ts": 'await import("../open.ts");',
    });

    expect(wrongDirections(project)).toEqual([
      expect.stringContaining("src/core/a.ts:1: core imports store, a layer above. Move"),
      expect.stringContaining("src/store/b.ts:1: store imports cache, the same group. Move"),
      "src/cache/c.ts:1: imports test/d.ts. Sources import only from src/.",
      expect.stringContaining("src/schema/d.ts:1: schema imports open, a layer above."),
    ]);
  });

  it("refuses a folder without a place", () => {
    expect(wrongDirections(planted({ "src/misc/a.ts": "" }))).toEqual([
      'src/misc/a.ts: "misc" is in no layer. Add it to LAYERS in test/tidy/layers.ts.',
    ]);
  });

  it("refuses an example that reaches into the sources", () => {
    const project = planted({
      "examples/a/main.ts": 'import "springhouse";\nimport "./b.ts";\nimport "../../src/open.ts";',
    });

    expect(privateImportsOfExamples(project)).toEqual([
      'examples/a/main.ts:3: imports src/open.ts. An example imports "springhouse".',
    ]);
  });
});

describe("the rules on the graph", () => {
  it("name a cycle once, and let a dynamic import pass", () => {
    const project = planted({
      "src/core/a.ts": 'import { b } from "./b.ts";',
      "src/core/b.ts": 'import type { c } from "./c.ts";',
      "src/core/c.ts": 'import { b } from "./b.ts";\nawait import("./a.ts");',
    });

    expect(cycles(project)).toEqual([
      "src/core/b.ts → src/core/c.ts → src/core/b.ts: a cycle. " +
        "Move what two of them need into a file of its own.",
    ]);
  });

  it("name a dead file, but not a worker or what a command loads", () => {
    const project = planted({
      "src/index.ts": 'export { a } from "./core/a.ts";',
      "src/core/a.ts": 'new URL("./worker" + extname(file), import.meta.url)',
      "src/core/worker.ts": "",
      "src/core/dead.ts": "",
      "src/cli/main.ts": 'await import("./init.ts")',
      "src/cli/init.ts": "",
    });

    expect(deadFiles(project)).toEqual([
      "src/core/dead.ts: nothing public leads here. Export it, use it or delete it.",
    ]);
  });

  it("hold package.json to the public indexes", () => {
    const right = {
      ".": {
        "springhouse-source": "./src/index.ts",
        types: "./dist/index.d.ts",
        default: "./dist/index.js",
      },
      "./package.json": "./package.json",
    };
    const files = { "src/index.ts": "", "package.json": JSON.stringify({ exports: right }) };

    expect(wrongExports(planted(files))).toEqual([]);
    expect(wrongExports(planted({ ...files, "src/migrate/index.ts": "" }))).toEqual([
      expect.stringMatching(/exports\["\.\/migrate"\] must be .*dist\/migrate\/index\.d\.ts/),
    ]);
    const more = JSON.stringify({ exports: { ...right, "./cache": {} } });
    expect(wrongExports(planted({ ...files, "package.json": more }))).toEqual([
      'package.json: exports["./cache"] has no index.ts. Write it or remove the line.',
    ]);
  });
});

describe("the rules on lengths", () => {
  it("count the lines of a file", () => {
    const project = planted({ "src/a.ts": lines(400), "src/b.ts": lines(401) });

    expect(longFiles(project)).toEqual(["src/b.ts: 401 lines, at most 400. Split it by noun."]);
  });

  it("count the columns of a line", () => {
    const project = planted({ "src/a.ts": `${"x".repeat(100)}\n${"x".repeat(101)}\n` });

    expect(longLines(project)).toEqual(["src/a.ts:2: 101 columns, at most 100. Break it."]);
  });

  it.each([
    "function f(): Promise<void> {",
    "async function* f<T extends { a: string }>(a: T): AsyncGenerator<T> {",
    "const f = (a: string): { b: number } => {",
    "const f = async () => {",
    "class A {\n  #method(a = (1)): a is B | undefined {",
    "class A {\n  method(): { readonly a: string } {",
    "class A {\n  get b(): () => void {",
    "class A {\n  constructor() {",
    'it("does", () => {',
  ])("see a function in %s", (head) => {
    const text = `${head}\n${lines(2)}}`;

    expect(functionsOf(text).map(({ end }) => end)).toContain(text.length - 1);
  });

  it.each([
    "if (a) {",
    "for (const a of f()) {",
    "while (a) {",
    "switch (a) {",
    "try {} catch (error) {",
    "const a = {",
    "interface A {",
    "class A extends f(B) implements C {",
    "declare function f(): A;\nclass B implements C {",
    "const a = f(b) ? c : {",
  ])("see no function in %s", (head) => {
    expect(functionsOf(`${head}\n${lines(2)}}`)).toEqual([]);
  });

  it("do not take a class for the function before it", () => {
    const text = "function f(a: B): C {\n  return a;\n}\n\nclass D implements E {\n  f = 1;\n}";

    expect(functionsOf(text)).toEqual([{ start: 20, end: 34 }]);
  });

  it("name a function that is too long, but not one that holds tests", () => {
    const project = planted({
      "src/a.ts": `function f() {\n${lines(68)}}\n`,
      "src/b.ts": `\nfunction f() {\n${lines(69)}}\n`,
      "test/c.ts": `function c() {\n  it("c", f);\n${lines(100)}}\n`,
      "test/d.ts": `it("d", () => {\n${lines(70)}});\n`,
    });

    expect(longFunctions(project)).toEqual([
      expect.stringContaining("src/b.ts:2: a function of 71 lines, at most 70. Take out"),
      expect.stringContaining("test/d.ts:1: a function of 72 lines"),
    ]);
  });
});

describe("the rules on words", () => {
  it.each(["let a: any;", "f<any>()", "a as any", "type A = any[];"])("refuse %s", (text) => {
    expect(anyTypes(planted({ "src/a.ts": `// any\n${text}` }))).toEqual([
      'src/a.ts:2: the type "any". Use "unknown" and narrow it.',
    ]);
  });

  it.each(["AbortSignal.any([a]);", "// any", 'f("any");', "const any = 1;", "many"])(
    "allow %s",
    (text) => {
      expect(anyTypes(planted({ "src/a.ts": text }))).toEqual([]);
    },
  );

  it("refuse a star export and the import of an index", () => {
    const project = planted({
      "src/a.ts": 'export * from "./b.ts";\nimport { c } from "./c/index.ts";',
    });

    expect(exportStars(project)).toEqual(['src/a.ts:1: "export *". Name what is exported.']);
    expect(indexImports(project)).toEqual([
      "src/a.ts:2: imports an index. Import the file that owns the name.",
    ]);
  });
});
