/** The tables of the burndown chart, declared, run on both databases and attacked. */

import { describe, expect, it } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { conforms, sqliteWith } from "./support.ts";

const Profile = entity(
  "profiles",
  {
    id: t.text().primaryKey(),
    name: t.text().unique(),
    jiraConfig: t.json<Readonly<Record<string, unknown>>>().nullable(),
    createdAt: t.timestamp().defaultNow(),
    lastUsed: t.timestamp().defaultNow(),
  },
  { indexes: [{ on: [{ lastUsed: "desc" }] }] },
);
const Query = entity(
  "queries",
  {
    id: t.text(),
    profileId: t.text().references("profiles.id", { onDelete: "cascade" }),
    name: t.text(),
  },
  { primaryKey: ["profileId", "id"], uniques: [{ on: ["profileId", "name"] }] },
);
const JiraCache = entity(
  "jira_cache",
  {
    id: t.int().primaryKey(),
    profileId: t.text(),
    queryId: t.text(),
    cacheKey: t.text(),
    response: t.json(),
  },
  {
    foreignKeys: [
      {
        on: ["profileId", "queryId"],
        references: { table: "queries", columns: ["profile_id", "id"] },
        onDelete: "cascade",
      },
    ],
    uniques: [{ on: ["profileId", "queryId", "cacheKey"] }],
  },
);
const BURNDOWN = [Profile, Query, JiraCache];

describe("the burndown tables", () => {
  conforms(BURNDOWN);

  it("let two profiles have a query of one id, and delete from profile to data", () => {
    using db = sqliteWith(BURNDOWN);
    db.exec("INSERT INTO profiles (id, name) VALUES ('a', 'A'), ('b', 'B')");
    db.exec(
      "INSERT INTO queries (id, profile_id, name) VALUES ('main', 'a', 'x'), ('main', 'b', 'x')",
    );
    db.exec(
      `INSERT INTO jira_cache (profile_id, query_id, cache_key, response)
       VALUES ('a', 'main', 'k', '[]'), ('b', 'main', 'k', '[]')`,
    );

    db.exec("DELETE FROM queries WHERE profile_id = 'a'");
    db.exec("DELETE FROM profiles WHERE id = 'a'");

    expect(db.prepare("SELECT profile_id FROM jira_cache").all()).toMatchObject([
      { profile_id: "b" },
    ]);
  });

  it("would have been refused as the seed has them", () => {
    const Seed = entity("queries", {
      id: t.text().primaryKey(),
      profileId: t.text().references("profiles.id"),
    });

    expect(() => createCatalog([Profile, Seed, JiraCache])).toThrow(
      /"profileId, queryId": refers to "queries" \(profile_id, id\), which is neither/,
    );
  });
});
