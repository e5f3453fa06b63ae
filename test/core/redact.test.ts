import { describe, expect, it } from "vitest";
import { redact, redactText, redactUrl } from "../../src/core/redact.ts";

describe("redactUrl", () => {
  it.each([
    ["postgres://app:s3cret@db:5432/main", "postgres://app:***@db:5432/main"],
    ["redis://:pa/ss@w0rd@localhost/0", "redis://:***@localhost/0"],
    [
      "postgres://db/main?user=a&password=b&sslmode=c",
      "postgres://db/main?user=a&password=***&sslmode=c",
    ],
    ["https://h/x?access_token=abc&tokens=2", "https://h/x?access_token=***&tokens=2"],
    ["https://s3/x?api_key=abc#d", "https://s3/x?api_key=***#d"],
    ["sqlite:/data/app.db", "sqlite:/data/app.db"],
    ["redis://user@localhost:6379/0", "redis://user@localhost:6379/0"],
  ])("turns %s into %s", (url, safe) => {
    expect(redactUrl(url)).toBe(safe);
  });
});

describe("redactText", () => {
  it("hides the password inside of a message and leaves the rest", () => {
    expect(redactText('cannot reach "redis://u:p@h:1/0" at 10:30, a@b')).toBe(
      'cannot reach "redis://u:***@h:1/0" at 10:30, a@b',
    );
  });
});

describe("redact", () => {
  it("hides by name and by content, at any depth, and changes nothing else", () => {
    const at = new Date(0);
    const data = {
      database: { url: "postgres://u:p@h/d", pool: [1, "x://u:p@h"] },
      jiraToken: "abc",
      api_key: "abc",
      clientSecret: { deep: "abc" },
      password: undefined,
      APIToken: "abc",
      headers: { Authorization: "abc", "set-cookie": "abc" },
      credentials: ["abc"],
      keepLast: 3,
      tokens: 12,
      keyName: "visible",
      at,
    };

    expect(redact(data)).toEqual({
      database: { url: "postgres://u:***@h/d", pool: [1, "x://u:***@h"] },
      jiraToken: "***",
      api_key: "***",
      clientSecret: "***",
      password: undefined,
      APIToken: "***",
      headers: { Authorization: "***", "set-cookie": "***" },
      credentials: "***",
      keepLast: 3,
      tokens: 12,
      keyName: "visible",
      at,
    });
  });
});
