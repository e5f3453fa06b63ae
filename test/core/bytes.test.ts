import { describe, expect, it } from "vitest";
import { formatBytes, parseBytes } from "../../src/core/bytes.ts";

describe("parseBytes", () => {
  it.each([
    [100, 100],
    ["812B", 812],
    ["100KB", 102_400],
    ["1.5 MB", 1_572_864],
    ["2gb", 2_147_483_648],
    ["unlimited", Number.POSITIVE_INFINITY],
  ] as const)("reads %s as %d bytes", (text, bytes) => {
    expect(parseBytes(text, "max_size")).toBe(bytes);
  });

  it.each(["", "10", "MB", "-1MB", "10 megabytes", -1, Number.NaN])(
    "refuses %s, naming the option and the accepted forms",
    (value) => {
      expect(() => parseBytes(value, "max_size")).toThrow(/^max_size: .* is not a size.*"10MB"/);
    },
  );
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [812, "812 B"],
    [4_096, "4.0 KB"],
    [12_897_484, "12.3 MB"],
    [Number.POSITIVE_INFINITY, "unlimited"],
  ])("writes %d as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
