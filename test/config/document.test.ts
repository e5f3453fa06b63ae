import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DOCUMENT, withTables } from "../../scripts/document-configuration.ts";
import { PLANNED } from "../../src/config/keys.ts";

describe("docs/configuration.md", () => {
  it("lists every key as it is", () => {
    const text = readFileSync(DOCUMENT, "utf8");

    expect(text, "run scripts/document-configuration.ts").toBe(withTables(text));
  });

  it("says which sections have no effect yet, right under their headings", () => {
    const text = readFileSync(DOCUMENT, "utf8");

    const marked = [...text.matchAll(/^### (\w+)\n\n> \*\*No effect in this version\.\*\*/gm)];

    expect(marked.map(([, section]) => section)).toEqual(Object.keys(PLANNED));
  });

  it("is refused when its marks are gone", () => {
    expect(() => withTables("# Configuration")).toThrow("has no <!-- keys: begin -->");
  });
});
