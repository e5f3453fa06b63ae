import { describe, expect, it } from "vitest";
import { SecretMask } from "../../../src/migrate/import/mask.ts";

const SECRET =
  '{"key":"ALOY-1","jira_config":{"token":"x,\\"y","base_url":"https://me:pass@host/a"},\n' +
  ' "apiKey" : "z", "summary":"the \\"token\\": \\"kept\\"","ssl_password":12.5,"tokens":[1]}';
const MASKED =
  '{"key":"ALOY-1","jira_config":{"token":"***","base_url":"https://me:***@host/a"},\n' +
  ' "apiKey" : "***", "summary":"the \\"token\\": \\"kept\\"","ssl_password":"***","tokens":[1]}';

function masked(...chunks: readonly Buffer[]): string {
  const mask = new SecretMask();
  return Buffer.concat([...chunks.map((chunk) => mask.push(chunk)), mask.end()]).toString();
}

describe("the mask of copies", () => {
  it("hides values by their names and passwords in URLs, and nothing else", () => {
    expect(masked(Buffer.from(SECRET))).toBe(MASKED);
  });

  it("hides the same wherever the text is cut into chunks", () => {
    const bytes = Buffer.from(SECRET);

    for (let at = 0; at <= bytes.length; at++) {
      expect(masked(bytes.subarray(0, at), bytes.subarray(at))).toBe(MASKED);
    }
    expect(masked(...bytes.toString().split("").map(Buffer.from))).toBe(MASKED);
  });

  it("leaves every other byte as it is, whatever the encoding", () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x22, 0xc3, 0x28, 0x0a, 0xf0, 0x9f]);
    const mask = new SecretMask();

    expect(Buffer.concat([mask.push(bytes), mask.end()])).toEqual(bytes);
    expect(mask.count).toBe(0);
  });
});
