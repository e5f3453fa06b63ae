import { describe, expect, it } from "vitest";
import { maskSecrets, SecretMask } from "../../../src/migrate/import/mask.ts";
import type { ImportFormat } from "../../../src/migrate/import/source.ts";

const SECRET =
  '{"key":"ALOY-1","jira_config":{"token":"x,\\"y","base_url":"https://me:pass@host/a"},\n' +
  ' "apiKey" : "z", "summary":"the \\"token\\": \\"kept\\"","ssl_password":12.5,"tokens":[1]}';
const MASKED =
  '{"key":"ALOY-1","jira_config":{"token":"***","base_url":"https://me:***@host/a"},\n' +
  ' "apiKey" : "***", "summary":"the \\"token\\": \\"kept\\"","ssl_password":"***","tokens":[1]}';
const NESTED =
  '{"secret":["a\\"]",{"b":"}"}],"credentials" : {"user":{"x":[1]}},"headers":' +
  '{"Authorization":"Bearer a","set-cookie":["a=b"],"Cookie":null},"API Token":-1,"n":[{}]}';
const NESTED_MASKED =
  '{"secret":"***","credentials" : "***","headers":' +
  '{"Authorization":"***","set-cookie":"***","Cookie":null},"API Token":"***","n":[{}]}';
const TEXTS =
  '{"a":"https:\\/\\/h?x=1&access_token=ab\\/c\\u002bd&y=2#z",' +
  '"b":"see\\ntoken=abc\\tand api_key=d","c":"http://h/?q=1\\u0026token=abc","d":"keyframe=1 mytoken=2"}';
const TEXTS_MASKED =
  '{"a":"https:\\/\\/h?x=1&access_token=***&y=2#z","b":"see\\ntoken=***\\tand api_key=***",' +
  '"c":"http://h/?q=1\\u0026token=***","d":"keyframe=1 mytoken=2"}';
const CSV =
  '\ufeff\r\nname,password,"apiToken" ,url,n\r\nAnn,s3cret,,http://h?token=abc,1\r\n' +
  '"B, ""b""","x,\n""y""z",t,"http://u:pw@h",2\r\n\r\nC,,"",x,3\r\nD,p\nE,q';
const CSV_MASKED =
  '\ufeff\r\nname,password,"apiToken" ,url,n\r\nAnn,***,,http://h?token=***,1\r\n' +
  '"B, ""b""",***,***,"http://u:***@h",2\r\n\r\nC,,***,x,3\r\nD,***\nE,***';
const BROKEN = '{"id":1,"secret":{"a":"b\n{"id":2,"secret":"c"}\n';
const BROKEN_MASKED = '{"id":1,"secret":"***"\n{"id":2,"secret":"***"}\n';

function masked(format: ImportFormat, ...chunks: readonly Buffer[]): string {
  const mask = new SecretMask(format);
  return Buffer.concat([...chunks.map((chunk) => mask.push(chunk)), mask.end()]).toString();
}

describe("the mask of copies", () => {
  it("hides values by their names and passwords in URLs, and nothing else", () => {
    expect(masked("array", Buffer.from(SECRET))).toBe(MASKED);
  });

  it.each([
    ["values", "array", SECRET, MASKED],
    ["lists and objects", "document", NESTED, NESTED_MASKED],
    ["parameters of URLs", "map", TEXTS, TEXTS_MASKED],
    ["columns of CSV", "csv", CSV, CSV_MASKED],
    ["what is left open in a line, and no more", "ndjson", BROKEN, BROKEN_MASKED],
  ] as const)("hides %s wherever the text is cut into chunks", (_, format, text, expected) => {
    const bytes = Buffer.from(text);

    for (let at = 0; at <= bytes.length; at++) {
      expect(masked(format, bytes.subarray(0, at), bytes.subarray(at))).toBe(expected);
    }
    expect(masked(format, ...[...bytes].map((byte) => Buffer.from([byte])))).toBe(expected);
  });

  it("hides a secret of any length, and holds no more of it than a chunk", () => {
    const mask = new SecretMask("array");
    const chunk = Buffer.from("x".repeat(65_536));

    const first = mask.push(Buffer.from('[{"secret":"'));
    const rest = Array.from({ length: 40 }, () => mask.push(chunk));
    const last = mask.push(Buffer.from('"}]'));

    expect(Buffer.concat([first, ...rest, last, mask.end()]).toString()).toBe('[{"secret":"***"}]');
    expect(mask.count).toBe(1);
  });

  it.each(["array", "csv"] as const)("leaves every other byte of %s as it is", (format) => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x22, 0xc3, 0x28, 0x0a, 0xf0, 0x9f]);
    const mask = new SecretMask(format);

    expect(Buffer.concat([mask.push(bytes), mask.end()])).toEqual(bytes);
    expect(mask.count).toBe(0);
  });
});

describe("a text by itself", () => {
  it.each([
    ["https://u:pw@h:8080/?token=abc&a=1", "https://u:***@h:8080/?token=***&a=1"],
    ["https://h:8080/users/@me?name=a@b", "https://h:8080/users/@me?name=a@b"],
    ["für “token=abc & apiKey=d” ü", "für “token=*** & apiKey=*** ü"],
    ["tokens = 3, a lone \ud800", "tokens = 3, a lone \ud800"],
  ])("is masked as in a copy: %s", (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
    expect(maskSecrets(masked)).toBe(masked);
  });
});
