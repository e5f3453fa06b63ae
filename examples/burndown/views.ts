/**
 * The four tables of the plan that kept whole files as one text, as views on the rows that they are
 * made of: the same names, the same columns, the same JSON.
 */

import type { BurndownDatabase } from "./database.ts";

const JIRA_CACHE = `CREATE VIEW jira_cache AS
SELECT r.id, r.profile_id, r.query_id, r.cache_key,
  json_set(r.envelope, '$.issues', (
    SELECT json_group_array(json(i.document) ORDER BY i.position)
    FROM jira_issues i WHERE i.response_id = r.id
  )) AS response,
  r.expires_at, r.created_at
FROM jira_responses r`;

const JIRA_CHANGELOG_CACHE = `CREATE VIEW jira_changelog_cache AS
SELECT l.rowid AS id, l.profile_id, l.query_id, l.issue_key,
  json_object('histories', (
    SELECT json_group_array(json_patch(e.history, json_object(
      'created', e.change_date,
      'items', json_array(json_set(e.item, '$.field', e.field_name,
        '$.fromString', e.old_value, '$.toString', e.new_value))
    )) ORDER BY e.position)
    FROM jira_changelog_entries e
    WHERE e.profile_id = l.profile_id AND e.query_id = l.query_id AND e.issue_key = l.issue_key
  )) AS changelog,
  l.expires_at, l.created_at
FROM jira_changelogs l`;

const PROJECT_DATA = `CREATE VIEW project_data AS
SELECT s.rowid AS id, s.profile_id, s.query_id,
  json_object(
    'project_scope', json_set(s.extras,
      '$.total_items', s.total_items, '$.total_points', s.total_points,
      '$.estimated_items', s.estimated_items, '$.estimated_points', s.estimated_points,
      '$.remaining_items', s.remaining_items, '$.remaining_points', s.remaining_points),
    'statistics', (
      SELECT json_group_array(json_set(w.extras,
        '$.date', w.stat_date,
        '$.completed_items', w.completed_items, '$.completed_points', w.completed_points,
        '$.created_items', w.created_items, '$.created_points', w.created_points,
        '$.velocity_items', w.velocity_items, '$.velocity_points', w.velocity_points
      ) ORDER BY w.stat_date)
      FROM project_statistics w
      WHERE w.profile_id = s.profile_id AND w.query_id = s.query_id
    ),
    'metadata', json(s.metadata)
  ) AS data,
  s.updated_at
FROM project_scope s`;

const METRICS_SNAPSHOTS = `CREATE VIEW metrics_snapshots AS
SELECT min(m.rowid) AS id, m.profile_id, m.query_id, m.snapshot_date,
  m.metric_category AS metric_type,
  json_group_object(m.metric_name, json(m.metric_value)) AS metrics,
  json_group_object(m.metric_name, json_extract(m.metric_value, '$.forecast'))
    FILTER (WHERE json_extract(m.metric_value, '$.forecast') IS NOT NULL) AS forecast,
  max(m.created_at) AS created_at
FROM metrics_data_points m
GROUP BY m.profile_id, m.query_id, m.snapshot_date, m.metric_category`;

/** By name. */
export const VIEWS: Readonly<Record<string, string>> = {
  jira_cache: JIRA_CACHE,
  jira_changelog_cache: JIRA_CHANGELOG_CACHE,
  project_data: PROJECT_DATA,
  metrics_snapshots: METRICS_SNAPSHOTS,
};

/** Makes the views that are missing or of another version of this program. */
export async function makeViews(db: BurndownDatabase): Promise<void> {
  const find = "SELECT name, sql FROM sqlite_schema WHERE type = 'view'";
  const wrong = async (execute: BurndownDatabase["execute"]): Promise<string[]> => {
    const { rows } = await execute(find);
    const made = new Map(rows.map((row) => [row["name"], row["sql"]]));
    return Object.keys(VIEWS).filter((name) => made.get(name) !== VIEWS[name]);
  };
  if ((await wrong((...given) => db.execute(...given))).length === 0) return;
  await db.transaction(async (tx) => {
    // Another process may have been first.
    for (const name of await wrong((...given) => tx.execute(...given))) {
      await tx.execute(`DROP VIEW IF EXISTS ${name}`);
      await tx.execute(VIEWS[name] ?? "");
    }
  });
}
