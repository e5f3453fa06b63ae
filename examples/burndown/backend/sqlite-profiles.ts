/** Profiles, queries and which of them are in use, in the database. */

import { SpringhouseError } from "springhouse";
import type { BurndownDatabase, BurndownTransaction } from "../database.ts";
import type { Profile, Query, Selection } from "../model.ts";
import { AppState, ProfileTable, QueryTable } from "../schema.ts";
import type { ProfileRepository, QueryRepository, StateRepository } from "./backend.ts";

/** A database, or a transaction on one. */
export type Place = BurndownDatabase | BurndownTransaction;

export class SqliteProfiles implements ProfileRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(id: string): Promise<Profile | undefined> {
    const row = await this.#place.repository(ProfileTable).get(id);
    return row && profileOf(row);
  }

  async list(): Promise<readonly Profile[]> {
    const rows = await this.#place
      .repository(ProfileTable)
      .list({ orderBy: [{ lastUsed: "desc" }, { id: "asc" }], limit: LISTED_MAX });
    return rows.map(profileOf);
  }

  async save(profile: Profile): Promise<void> {
    // An INSERT OR REPLACE would delete the old row first, and with it all queries and data.
    await this.#place.execute(SAVE_PROFILE, [
      profile.id,
      profile.name,
      profile.description,
      profile.createdAt,
      profile.lastUsed,
      profile.jiraConfig,
      profile.fieldMappings,
      profile.forecastSettings,
      profile.projectClassification,
      profile.flowTypeMappings,
      profile.showMilestone,
      profile.showPoints,
      profile.extras,
    ]);
  }

  async delete(id: string): Promise<void> {
    await this.#place.execute("DELETE FROM profiles WHERE id = ?", [id]);
  }
}

export class SqliteQueries implements QueryRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(profileId: string, id: string): Promise<Query | undefined> {
    const row = await this.#place.repository(QueryTable).get({ profileId, id });
    return row && queryOf(row);
  }

  async list(profileId: string): Promise<readonly Query[]> {
    const rows = await this.#place.repository(QueryTable).list({
      where: { profileId },
      orderBy: [{ lastUsed: "desc" }, { id: "asc" }],
      limit: LISTED_MAX,
    });
    return rows.map(queryOf);
  }

  async save(query: Query): Promise<void> {
    const { profileId, id, name, jql, description, createdAt, lastUsed, extras } = query;
    const row = [id, profileId, name, jql, description, createdAt, lastUsed, extras];
    await this.#place.execute(SAVE_QUERY, row);
  }

  async delete(profileId: string, id: string): Promise<void> {
    await this.#place.execute("DELETE FROM queries WHERE profile_id = ? AND id = ?", [
      profileId,
      id,
    ]);
  }
}

export class SqliteState implements StateRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#place.repository(AppState).get(key))?.value;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#place.execute(SAVE_STATE, [key, value]);
  }

  async list(): Promise<readonly (readonly [key: string, value: string])[]> {
    const facts: [string, string][] = [];
    const rows = this.#place.stream<{ key: string; value: string }>(
      `SELECT key, value FROM app_state
       WHERE key NOT IN ('migration_complete', 'schema_version') ORDER BY key`,
    );
    for await (const { key, value } of rows) facts.push([key, value]);
    return facts;
  }

  async selection(): Promise<Selection> {
    const { rows } = await this.#place.execute<Selection>(SELECTION);
    return { profileId: rows[0]?.profileId ?? null, queryId: rows[0]?.queryId ?? null };
  }

  async select(profileId: string, queryId: string | null, now: string): Promise<void> {
    const work = (tx: Place): Promise<void> => select(tx, profileId, queryId, now);
    await this.#place.transaction(work);
  }
}

async function select(
  tx: Place,
  profileId: string,
  queryId: string | null,
  now: string,
): Promise<void> {
  const state = new SqliteState(tx);
  const profile = await tx.execute("UPDATE profiles SET last_used = ? WHERE id = ?", [
    now,
    profileId,
  ]);
  if (profile.changes === 0) throw notFound("Profile", profileId);
  await state.set("active_profile_id", profileId);
  if (queryId === null) {
    await tx.execute("DELETE FROM app_state WHERE key = 'active_query_id'");
    return;
  }
  const query = await tx.execute(
    "UPDATE queries SET last_used = ? WHERE profile_id = ? AND id = ?",
    [now, profileId, queryId],
  );
  if (query.changes === 0) throw notFound("Query", queryId);
  await state.set("active_query_id", queryId);
}

/** The error for what is not there, in the origin's words. */
export function notFound(what: string, id: string): SpringhouseError {
  return new SpringhouseError("NOT_FOUND", `${what} '${id}' not found`, { fields: { id } });
}

/** The origin allows 50 profiles with 100 queries each; an older folder may have had more. */
const LISTED_MAX = 1_000;

/** Inserts a profile, or changes all but its id and when it was made. */
export const SAVE_PROFILE = `INSERT INTO profiles (
  id, name, description, created_at, last_used, jira_config, field_mappings, forecast_settings,
  project_classification, flow_type_mappings, show_milestone, show_points, extras
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, description = excluded.description, last_used = excluded.last_used,
  jira_config = excluded.jira_config, field_mappings = excluded.field_mappings,
  forecast_settings = excluded.forecast_settings,
  project_classification = excluded.project_classification,
  flow_type_mappings = excluded.flow_type_mappings, show_milestone = excluded.show_milestone,
  show_points = excluded.show_points, extras = excluded.extras`;

const SAVE_QUERY = `INSERT INTO queries (
  id, profile_id, name, jql, description, created_at, last_used, extras
) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (profile_id, id) DO UPDATE SET
  name = excluded.name, jql = excluded.jql, description = excluded.description,
  last_used = excluded.last_used, extras = excluded.extras`;

const SAVE_STATE = `INSERT INTO app_state (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

/** What is in use and still there, else what was used last. */
const SELECTION = `WITH chosen AS (
  SELECT p.id FROM profiles p
  LEFT JOIN app_state s ON s.key = 'active_profile_id' AND s.value = p.id
  ORDER BY s.key IS NULL, p.last_used DESC, p.id LIMIT 1
)
SELECT chosen.id AS profileId, (
  SELECT q.id FROM queries q
  LEFT JOIN app_state s ON s.key = 'active_query_id' AND s.value = q.id
  WHERE q.profile_id = chosen.id
  ORDER BY s.key IS NULL, q.last_used DESC, q.id LIMIT 1
) AS queryId FROM chosen`;

type ProfileRow = Omit<Profile, "description"> & { readonly description: string | null };
type QueryRow = Omit<Query, "description"> & { readonly description: string | null };

/** The plan lets descriptions be NULL. */
function profileOf(row: ProfileRow): Profile {
  return { ...row, description: row.description ?? "" };
}

function queryOf(row: QueryRow): Query {
  return { ...row, description: row.description ?? "" };
}
