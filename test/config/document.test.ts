import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DOCUMENT, withTables } from "../../scripts/document-configuration.ts";

describe("docs/configuration.md", () => {
  it("lists every key as it is", () => {
    const text = readFileSync(DOCUMENT, "utf8");

    expect(text, "run scripts/document-configuration.ts").toBe(withTables(text));
  });

  it("is refused when its marks are gone", () => {
    expect(() => withTables("# Configuration")).toThrow("has no <!-- keys: begin -->");
  });
});
