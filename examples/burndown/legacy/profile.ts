/** `profile.json`, the entries of `profiles.json`, and `query.json`. */

import { storable } from "../exact-json.ts";
import { type Complain, JsonReader, type Path } from "../json-reader.ts";
import type { JsonObject, Profile, Query } from "../model.ts";
import { partSecrets, withSecrets } from "../secrets.ts";

/** What the files leave open. */
export interface Defaults {
  readonly id: string;
  /** When it counts as made. */
  readonly createdAt: string;
}

/** A profile and its token, which goes its own way. */
export interface LegacyProfile {
  readonly profile: Profile;
  readonly token: string | undefined;
  /** Where further secrets were, which are left out. */
  readonly leftOut: readonly string[];
}

/** The forecast of a profile that does not say. */
export const FORECAST_DEFAULTS: JsonObject = {
  pert_factor: 1.2,
  deadline: null,
  data_points_count: 12,
};

/** The keys of the older files, which had the connection beside everything else. */
const FLAT_KEYS: Readonly<Record<string, string>> = {
  jira_url: "base_url",
  jira_base_url: "base_url",
  jira_api_version: "api_version",
  jira_configured: "configured",
  jira_points_field: "points_field",
};

/** Reads a profile of any form. */
export function readProfile(
  value: unknown,
  { id, createdAt: madeAt }: Defaults,
  complain: Complain,
  path: Path = [],
): LegacyProfile {
  const { rest, token, leftOut } = partSecrets(value);
  const reader = new JsonReader(storable(rest, path, complain), path, complain);
  const createdAt = reader.moment("created_at", madeAt);
  const jiraConfig = readConnection(reader);
  // The folder is what queries are found by, whatever the file says.
  reader.any("id");
  // Which queries there are, their own folders say.
  reader.any("queries");
  const profile = {
    id,
    name: reader.text("name", id),
    description: reader.text("description", ""),
    createdAt,
    lastUsed: reader.moment("last_used", createdAt),
    jiraConfig,
    fieldMappings: reader.object("field_mappings"),
    forecastSettings: { ...FORECAST_DEFAULTS, ...reader.object("forecast_settings") },
    projectClassification: reader.object("project_classification"),
    flowTypeMappings: reader.object("flow_type_mappings"),
    showMilestone: reader.flag("show_milestone", false),
    showPoints: reader.flag("show_points", false),
  };
  return { profile: { ...profile, extras: reader.extras() }, token, leftOut };
}

function readConnection(reader: JsonReader): JsonObject {
  const connection = { ...reader.object("jira_config") };
  for (const [flat, key] of Object.entries(FLAT_KEYS)) {
    const given = reader.any(flat);
    if (given != null) connection[key] ??= given;
  }
  return connection;
}

/** A profile's file as it is to be written, with the secrets that it had before, of any form. */
export function withOldSecrets(written: JsonObject, before: JsonObject): unknown {
  const reader = new JsonReader(before, [], () => undefined);
  return withSecrets(written, { ...before, jira_config: readConnection(reader) });
}

/** A profile as `profile.json` has it, without its token. */
export function writeProfile(profile: Profile, queryIds: readonly string[]): JsonObject {
  return {
    ...profile.extras,
    id: profile.id,
    name: profile.name,
    description: profile.description,
    created_at: profile.createdAt,
    last_used: profile.lastUsed,
    jira_config: profile.jiraConfig,
    field_mappings: profile.fieldMappings,
    forecast_settings: profile.forecastSettings,
    project_classification: profile.projectClassification,
    flow_type_mappings: profile.flowTypeMappings,
    queries: queryIds,
    show_milestone: profile.showMilestone,
    show_points: profile.showPoints,
  };
}

/** Reads a query; the file names neither its id nor its profile. */
export function readQuery(
  value: unknown,
  profileId: string,
  { id, createdAt: madeAt }: Defaults,
  complain: Complain,
): Query {
  const reader = new JsonReader(storable(partSecrets(value).rest, [], complain), [], complain);
  reader.any("id");
  const createdAt = reader.moment("created_at", madeAt);
  const query = {
    profileId,
    id,
    name: reader.text("name", id),
    jql: reader.text(["jql", "jql_query"], ""),
    description: reader.text("description", ""),
    createdAt,
    lastUsed: reader.moment("last_used", createdAt),
  };
  return { ...query, extras: reader.extras() };
}

/** A query as `query.json` has it, with the moment of its last use, which later files have. */
export function writeQuery(query: Query): JsonObject {
  const { extras, name, jql, description, createdAt, lastUsed } = query;
  return { ...extras, name, jql, description, created_at: createdAt, last_used: lastUsed };
}
