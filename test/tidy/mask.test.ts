import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mask } from "./mask.ts";

const OPEN = "$" + "{";

describe("mask", () => {
  it("keeps the length and every line break", () => {
    const source = readFileSync(join(import.meta.dirname, "mask.ts"), "utf8");

    const { code, codeAndStrings } = mask(source);

    expect(code.length).toBe(source.length);
    expect(codeAndStrings.length).toBe(source.length);
    expect(code.split("\n").length).toBe(source.split("\n").length);
  });

  it("blanks comments, and a comment does not hide what follows it", () => {
    expect(mask("a; // b\nc; /* d\n*/ e").code).toBe("a;     \nc;     \n   e");
    expect(mask("#!/usr/bin/env node\na").code.trim()).toBe("a");
    expect(mask("a /* never ended").code.trim()).toBe("a");
  });

  it("blanks strings in one mask and keeps them in the other", () => {
    const { code, codeAndStrings } = mask(`f("a // b", 'c\\'d');`);

    expect(code).toBe("f(        ,       );");
    expect(codeAndStrings).toBe(`f("a // b", 'c\\'d');`);
  });

  it("keeps the code inside a template and blanks its text", () => {
    const { code } = mask(`x = \`a ${OPEN} f({ b: \`c${OPEN}d}\` }) } e\`; g`);

    expect(code.replace(/ +/g, " ")).toBe("x = f({ b: d }) ; g");
  });

  it("tells a regular expression from a division", () => {
    expect(mask('a = /["`]/.test(b); c').code).toBe("a =       .test(b); c");
    expect(mask("return /'/; c").code).toBe("return    ; c");
    expect(mask('a = b / c; d = "e"; f / g').codeAndStrings).toBe('a = b / c; d = "e"; f / g');
    expect(mask("x[0] / 2; (1) / 3; // '").code.trim()).toBe("x[0] / 2; (1) / 3;");
  });
});
