/**
 * Writes everything into a new folder as the old application had it, tokens excepted: to go back,
 * to hand on, or to migrate it again, which gives the same database.
 */

import { existsSync, readdirSync } from "node:fs";
import { SpringhouseError } from "springhouse";
import type { PersistenceBackend, Repositories } from "./backend/backend.ts";
import { openJsonBackend } from "./backend/json-backend.ts";
import { partSecrets } from "./secrets.ts";

/** What was written. */
export interface ExportReport {
  readonly folder: string;
  readonly profiles: number;
  readonly queries: number;
  readonly issues: number;
}

/**
 * Exports a backend.
 *
 * @throws `USAGE` when there is something in the folder already.
 */
export async function exportFolder(
  from: PersistenceBackend,
  folder: string,
): Promise<ExportReport> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    const message = `${folder} is not empty. Give another folder.`;
    throw new SpringhouseError("USAGE", message, { fields: { path: folder } });
  }
  const to = openJsonBackend(folder);
  try {
    // One transaction a profile bounds what is held in memory, and the registry comes last.
    let [queries, issues] = [0, 0];
    const profiles = await from.profiles.list();
    for (const profile of profiles) {
      await to.profiles.save(partSecrets(profile).rest);
      for (const query of await from.queries.list(profile.id)) {
        await to.withTransaction(async (target) => {
          await target.queries.save(partSecrets(query).rest);
          issues += await copyData(from, target, profile.id, query.id);
        });
        queries++;
      }
    }
    await copyRest(from, to);
    return { folder, profiles: profiles.length, queries, issues };
  } finally {
    await to.close();
  }
}

/** What is in use may be another than what was chosen, when that is gone. */
const SELECTION_KEYS = ["active_profile_id", "active_query_id"];

/** The data of one query; how many issues it has. */
async function copyData(
  from: Repositories,
  to: Repositories,
  profileId: string,
  queryId: string,
): Promise<number> {
  const responses = await from.caches.list(profileId, queryId);
  // The files hold one answer, which is the newest.
  await to.caches.save(profileId, queryId, responses.slice(0, 1));
  const changelogs = await from.changelogs.list(profileId, queryId);
  if (changelogs.length > 0) await to.changelogs.save(profileId, queryId, changelogs);
  const project = await from.projects.get(profileId, queryId);
  if (project !== undefined) await to.projects.save(profileId, queryId, project);
  const points = await from.snapshots.list(profileId, queryId);
  if (points.length > 0) await to.snapshots.save(profileId, queryId, points);
  const issues = responses[0]?.response["issues"];
  return Array.isArray(issues) ? issues.length : 0;
}

async function copyRest(from: Repositories, to: Repositories): Promise<void> {
  const [task] = await from.tasks.list();
  if (task !== undefined) await to.tasks.save(task);
  for (const calculation of await from.calculations.list()) await to.calculations.save(calculation);
  for (const [key, value] of await from.state.list()) {
    if (!SELECTION_KEYS.includes(key)) await to.state.set(key, value);
  }
  const { profileId, queryId } = await from.state.selection();
  if (profileId === null) return;
  // Choosing would count as a use; the export must not change when something was used.
  await to.state.set("active_profile_id", profileId);
  if (queryId !== null) await to.state.set("active_query_id", queryId);
}
