/** Answers of JIRA and changelogs in the database, where each issue and each change is a row. */

import { parseJson } from "../exact-json.ts";
import type { CachedResponse, Changelog, ChangelogEntry, IssueFact, JsonObject } from "../model.ts";
import type { CacheRepository, ChangelogRepository } from "./backend.ts";
import { entryRow, INSERT_ENTRY, INSERT_ISSUE, issueColumns, issueRow } from "./rows.ts";
import type { Place } from "./sqlite-profiles.ts";

interface ResponseRow {
  readonly id: number;
  readonly cache_key: string;
  readonly envelope: JsonObject;
  readonly created_at: string;
  readonly expires_at: string;
}

interface ChangelogRow {
  readonly issue_key: string;
  readonly fields: JsonObject;
  readonly created_at: string;
  readonly expires_at: string;
}

interface EntryRow {
  readonly issue_key: string;
  readonly change_date: string;
  readonly field_name: string;
  readonly old_value: string | null;
  readonly new_value: string | null;
  readonly history: JsonObject;
  readonly item: JsonObject;
}

export class SqliteCaches implements CacheRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(
    profileId: string,
    queryId: string,
    cacheKey: string,
    now: string,
  ): Promise<CachedResponse | undefined> {
    const { rows } = await this.#place.execute<ResponseRow>(
      `SELECT * FROM jira_responses
       WHERE profile_id = ? AND query_id = ? AND cache_key = ? AND expires_at > ?`,
      [profileId, queryId, cacheKey, now],
    );
    return rows[0] && (await this.#whole(rows[0]));
  }

  async list(profileId: string, queryId: string): Promise<readonly CachedResponse[]> {
    const { rows } = await this.#place.execute<ResponseRow>(
      `SELECT * FROM jira_responses WHERE profile_id = ? AND query_id = ?
       ORDER BY created_at DESC, id`,
      [profileId, queryId],
    );
    const found: CachedResponse[] = [];
    for (const row of rows) found.push(await this.#whole(row));
    return found;
  }

  async issues(profileId: string, queryId: string): Promise<readonly IssueFact[]> {
    const facts: IssueFact[] = [];
    for await (const fact of this.#place.stream<IssueFact>(FACTS, [profileId, queryId])) {
      facts.push(fact);
    }
    return facts;
  }

  async save(
    profileId: string,
    queryId: string,
    responses: readonly CachedResponse[],
  ): Promise<void> {
    await this.#place.transaction(async (tx: Place) => {
      const pointsField = await pointsFieldOf(tx, profileId);
      for (const { cacheKey, response, createdAt, expiresAt } of responses) {
        const { issues, ...envelope } = response;
        const saved = await tx.execute<{ id: number }>(SAVE_RESPONSE, [
          profileId,
          queryId,
          cacheKey,
          envelope,
          expiresAt,
          createdAt,
        ]);
        const id = saved.rows[0]?.id ?? 0;
        await tx.execute("DELETE FROM jira_issues WHERE response_id = ?", [id]);
        const list = (issues ?? []) as readonly JsonObject[];
        await tx.executeMany(
          INSERT_ISSUE,
          list.map((issue, position) => issueRow(id, position, issueColumns(issue, pointsField))),
        );
      }
    });
  }

  async deleteExpired(now: string): Promise<number> {
    return (await this.#place.execute("DELETE FROM jira_responses WHERE expires_at <= ?", [now]))
      .changes;
  }

  async #whole(row: ResponseRow): Promise<CachedResponse> {
    const issues: JsonObject[] = [];
    const documents = this.#place.stream<{ document: string }>(
      "SELECT document FROM jira_issues WHERE response_id = ? ORDER BY position",
      [row.id],
    );
    for await (const { document } of documents) issues.push(parseJson(document) as JsonObject);
    return {
      cacheKey: row.cache_key,
      response: { ...row.envelope, issues },
      createdAt: row.created_at,
      expiresAt: row.expires_at,
    };
  }
}

export class SqliteChangelogs implements ChangelogRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(
    profileId: string,
    queryId: string,
    issueKey: string,
    now: string,
  ): Promise<Changelog | undefined> {
    const where = "profile_id = ? AND query_id = ? AND issue_key = ? AND expires_at > ?";
    const found = await this.#find(where, [profileId, queryId, issueKey, now]);
    return found[0];
  }

  list(profileId: string, queryId: string): Promise<readonly Changelog[]> {
    return this.#find("profile_id = ? AND query_id = ?", [profileId, queryId]);
  }

  async save(profileId: string, queryId: string, changelogs: readonly Changelog[]): Promise<void> {
    await this.#place.transaction(async (tx: Place) => {
      for (const { issueKey, fields, entries, createdAt, expiresAt } of changelogs) {
        const key = [profileId, queryId, issueKey] as const;
        await tx.execute(SAVE_CHANGELOG, [...key, fields, expiresAt, createdAt]);
        await tx.execute(DELETE_ENTRIES, key);
        const rows = entries.map((entry, position) => entryRow(key, position, entry));
        await tx.executeMany(INSERT_ENTRY, rows);
      }
    });
  }

  async deleteExpired(now: string): Promise<number> {
    return (await this.#place.execute("DELETE FROM jira_changelogs WHERE expires_at <= ?", [now]))
      .changes;
  }

  async #find(where: string, parameters: readonly string[]): Promise<Changelog[]> {
    const heads = await this.#place.execute<ChangelogRow>(
      `SELECT * FROM jira_changelogs WHERE ${where} ORDER BY issue_key`,
      parameters,
    );
    const found = new Map<string, ChangelogEntry[]>(heads.rows.map((row) => [row.issue_key, []]));
    // One statement for the entries of all of them, instead of one for each.
    const entries = this.#place.stream<EntryRow>(
      `SELECT e.* FROM (SELECT profile_id, query_id, issue_key FROM jira_changelogs WHERE ${where})
       JOIN jira_changelog_entries e USING (profile_id, query_id, issue_key)
       ORDER BY e.issue_key, e.position`,
      parameters,
    );
    for await (const row of entries) found.get(row.issue_key)?.push(entryOf(row));
    return heads.rows.map((row) => ({
      issueKey: row.issue_key,
      fields: row.fields,
      entries: found.get(row.issue_key) ?? [],
      createdAt: row.created_at,
      expiresAt: row.expires_at,
    }));
  }
}

/** The field that a profile has its points in. */
async function pointsFieldOf(tx: Place, profileId: string): Promise<string | undefined> {
  const { rows } = await tx.execute<{ field: unknown }>(
    "SELECT jira_config ->> '$.points_field' AS field FROM profiles WHERE id = ?",
    [profileId],
  );
  const field = rows[0]?.field;
  return typeof field === "string" && field !== "" ? field : undefined;
}

function entryOf(row: EntryRow): ChangelogEntry {
  return {
    changeDate: row.change_date,
    field: row.field_name,
    oldValue: row.old_value,
    newValue: row.new_value,
    history: row.history,
    item: row.item,
  };
}

const FACTS = `SELECT issue_key AS key, issue_type AS type, status, status_category AS category,
  points, created, updated, resolved
FROM jira_issues WHERE response_id = (
  SELECT id FROM jira_responses WHERE profile_id = ? AND query_id = ?
  ORDER BY created_at DESC, id LIMIT 1
) ORDER BY position`;

const SAVE_RESPONSE = `INSERT INTO jira_responses (
  profile_id, query_id, cache_key, envelope, expires_at, created_at
) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (profile_id, query_id, cache_key) DO UPDATE SET
  envelope = excluded.envelope, expires_at = excluded.expires_at, created_at = excluded.created_at
RETURNING id`;

const SAVE_CHANGELOG = `INSERT INTO jira_changelogs (
  profile_id, query_id, issue_key, fields, expires_at, created_at
) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (profile_id, query_id, issue_key) DO UPDATE SET
  fields = excluded.fields, expires_at = excluded.expires_at, created_at = excluded.created_at`;

const DELETE_ENTRIES = `DELETE FROM jira_changelog_entries
WHERE profile_id = ? AND query_id = ? AND issue_key = ?`;
