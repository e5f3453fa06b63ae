import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { batchedForm } from "../../src/advisor/batched.ts";

const PREFIX = "Read them with one statement and hand out the rows by p: ";

describe("the statement for many values", () => {
  it.each([
    "select * from things where p=?",
    "select * from things where p==?and q=1",
    "select * from things where p\t=\n?;",
    "select * from things where p is ? order by q limit 1",
    "select * from things as t where t.p=?1 limit ?2 offset ?3",
    'select * from things where "p"=:p',
    "select * from things where [p]=$p -- of one",
    "select * from things where q=1 and p/* it */=/* is */?",
    "select * from things where p -- it\n=?",
    "select * from things where (p=?) and q in (select q from things limit 5)",
    "select * from (select * from things where p=? limit 1) where q=1",
    "select exists(select 1 from things where p=? limit 1)",
    "with some as (select * from things where p=?) select * from some limit 1",
    "select * from things join things as u on u.q=things.q and u.p=? limit 1",
  ])("can be run: %j", (sql) => {
    using database = new DatabaseSync(":memory:");
    database.exec("CREATE TABLE things (p, q)");

    const suggestion = batchedForm(sql, [0]);

    expect(suggestion.startsWith(PREFIX)).toBe(true);
    const batched = suggestion.slice(PREFIX.length);
    expect(batched).toMatch(/ IN \(SELECT value FROM json_each\([?:$]\w*\)\)/);
    expect(() => database.prepare(batched)).not.toThrow();
  });

  it.each([
    "select * from things where p=? + 1",
    "select * from things where p=?||'x'",
    "select * from things where p>?",
    "select * from things where (p, q)=(?, 1)",
  ])("is not made up where the value is not all that is compared: %j", (sql) => {
    expect(batchedForm(sql, [0])).toMatch(/^Read them with one statement: a JOIN/);
  });
});
