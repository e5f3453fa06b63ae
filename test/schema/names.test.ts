import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  derivedName,
  isPropertyName,
  NAME_BYTES_MAX,
  nameProblem,
  snakeCase,
  tableNameProblem,
} from "../../src/schema/names.ts";

describe("snakeCase", () => {
  it.each([
    ["weekId", "week_id"],
    ["id", "id"],
    ["X", "x"],
    ["userID", "user_id"],
    ["htmlURLText", "html_url_text"],
    ["line2Text", "line2_text"],
    ["already_snake", "already_snake"],
    ["odd_Case", "odd_case"],
    ["ABC", "abc"],
  ])("makes %s into %s", (property, name) => {
    expect(snakeCase(property)).toBe(name);
  });

  it("gives the same for what it has given", () => {
    const property = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/);

    fc.assert(
      fc.property(property, (text) => {
        const once = snakeCase(text);

        expect(snakeCase(once)).toBe(once);
        expect(once.replaceAll("_", "")).toBe(text.replaceAll("_", "").toLowerCase());
      }),
    );
  });
});

describe("names", () => {
  it("of properties are identifiers without a leading underscore", () => {
    expect(["a", "weekId", "a_b", "B2"].every(isPropertyName)).toBe(true);
    expect(["", "2a", "a-b", "a b", "~standard", "__proto__", "naïve"].some(isPropertyName)).toBe(
      false,
    );
  });

  it("of tables and columns are refused when a database would change them", () => {
    expect(nameProblem("week_id")).toBeUndefined();
    expect(nameProblem('a "quoted" name')).toBeUndefined();
    expect(nameProblem("")).toContain("not empty");
    expect(nameProblem("a\0b")).toContain("well-formed");
    expect(nameProblem("\ud800")).toContain("well-formed");
    expect(nameProblem("한".repeat(22))).toContain("63 bytes");
    expect(tableNameProblem("SQLITE_x")).toContain("reserved");
    expect(tableNameProblem("springhouse_x")).toContain("reserved");
    expect(tableNameProblem("main.x")).toContain('"."');
    expect(tableNameProblem("")).toContain("not empty");
  });

  it("that are derived never become longer than PostgreSQL keeps, and stay different", () => {
    const long = "c".repeat(60);

    const first = derivedName("idx", "tasks", [long, "a"]);
    const second = derivedName("idx", "tasks", [long, "b"]);
    const korean = derivedName("idx", "표".repeat(20), ["열".repeat(5)]);

    expect(derivedName("idx", "tasks", ["week_id"])).toBe("idx_tasks_week_id");
    expect(first).not.toBe(second);
    for (const name of [first, second, korean]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(NAME_BYTES_MAX);
      expect(name.isWellFormed()).toBe(true);
    }
  });
});
