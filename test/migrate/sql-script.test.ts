import { expect, test } from "vitest";
import { splitStatements } from "../../src/migrate/sql-script.ts";

const split = (script: string): readonly string[] =>
  splitStatements(script, "file.sql").map(({ sql }) => sql);

test("statements are split at semicolons and keep their line", () => {
  const statements = splitStatements("-- first\nSELECT 1;\n\n  SELECT\n  2 ;SELECT 3", "f.sql", 10);

  expect(statements).toEqual([
    { sql: "SELECT 1", line: 11 },
    { sql: "SELECT\n  2", line: 13 },
    { sql: "SELECT 3", line: 14 },
  ]);
});

test("semicolons in strings, names and comments do not split", () => {
  const script = `SELECT ';''; --' /* ; */, ";", [;], \`;\` -- ; \n;/* ; */ SELECT x';'`;

  expect(split(script)).toEqual([`SELECT ';''; --' /* ; */, ";", [;], \`;\``, "SELECT x';'"]);
});

test("a trigger is one statement, whatever its body holds", () => {
  const trigger = `CREATE TRIGGER "a;b" AFTER UPDATE ON t WHEN NEW.x > 1 BEGIN
    UPDATE t SET "end" = CASE WHEN end THEN 1 ELSE 2 END;
    INSERT INTO log (begin, end) SELECT ';', CASE 1 WHEN 1 THEN 2 END FROM t;
    SELECT 1;
  END`;

  expect(split(`${trigger};\nSELECT 1;`)).toEqual([trigger, "SELECT 1"]);
  expect(split(trigger)).toEqual([trigger]);
});

test("words that look like a trigger elsewhere change nothing", () => {
  expect(split("CREATE TABLE trigger_x (a); CREATE VIEW v AS SELECT 1; SELECT 2")).toHaveLength(3);
  expect(
    split("CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END; SELECT 2"),
  ).toHaveLength(2);
});

test("a script of comments and semicolons has no statements", () => {
  expect(split(" ;; -- nothing\n/* still nothing */ ;")).toEqual([]);
});

test.each([
  ["SELECT 1;\nSELECT 'open", 2, "quoted text"],
  ['SELECT "open', 1, "quoted text"],
  ["SELECT 1;\n\n/* open", 3, "comment"],
  ["\nCREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1;", 2, "END"],
])("what has no end is refused with its line: %j", (script, line, word) => {
  expect(() => split(script)).toThrow(
    expect.objectContaining({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(word),
      fields: { source: "file.sql", line },
    }),
  );
});
