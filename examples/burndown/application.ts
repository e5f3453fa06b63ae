/**
 * What the application does, whichever backend keeps its data. The backend is set once, by the
 * command line or by a test.
 */

import { SpringhouseError } from "springhouse";
import type { PersistenceBackend } from "./backend/backend.ts";
import { type WeekFlow, weeksOfIssues, weeksOfProject } from "./figures.ts";
import { withoutOrphan } from "./legacy/task.ts";
import {
  PROFILES_MAX,
  type Profile,
  QUERIES_PER_PROFILE_MAX,
  type Query,
  type Task,
} from "./model.ts";

let current: PersistenceBackend | undefined;

/** Sets the backend; undefined for none. */
export function setBackend(backend: PersistenceBackend | undefined): void {
  current = backend;
}

/** The backend that was set. */
export function currentBackend(): PersistenceBackend {
  if (current !== undefined) return current;
  throw new SpringhouseError("CLOSED", "No backend is set. Call setBackend() first.");
}

/** @throws `NOT_FOUND` when there is no such profile. */
export async function getProfile(id: string): Promise<Profile> {
  const profile = await currentBackend().profiles.get(id);
  if (profile !== undefined) return profile;
  throw new SpringhouseError("NOT_FOUND", `Profile '${id}' not found`, { fields: { id } });
}

/** What can be saved as a profile. */
export interface ProfileSource {
  toProfile(): Profile;
}

/** @throws `VALIDATION` when there are as many profiles as there may be. */
export async function saveProfile(source: ProfileSource): Promise<void> {
  const profile = source.toProfile();
  await currentBackend().withTransaction(async ({ profiles }) => {
    const all = await profiles.list();
    if (!all.some(({ id }) => id === profile.id)) refuseMore("profiles", all.length, PROFILES_MAX);
    await profiles.save(profile);
  });
}

/** @throws `VALIDATION` when the profile has as many queries as it may have. */
export async function saveQuery(query: Query): Promise<void> {
  await currentBackend().withTransaction(async ({ queries }) => {
    const all = await queries.list(query.profileId);
    if (!all.some(({ id }) => id === query.id)) {
      refuseMore(`queries of "${query.profileId}"`, all.length, QUERIES_PER_PROFILE_MAX);
    }
    await queries.save(query);
  });
}

/** Uses a query of a profile, by default the one used last. */
export async function switchTo(
  profileId: string,
  queryId: string | undefined,
  now: string,
): Promise<void> {
  await getProfile(profileId);
  const { queries, state } = currentBackend();
  const [last] = queryId === undefined ? await queries.list(profileId) : [];
  await state.select(profileId, queryId ?? last?.id ?? null, now);
}

/** The tasks, those that have died with their process among the failed ones. */
export async function tasksAt(now: string): Promise<readonly Task[]> {
  return (await currentBackend().tasks.list()).map((task) => withoutOrphan(task, now));
}

/** The weeks of a query, from its issues or, without any, from what was written down. */
export async function weeksOf(profileId: string, queryId: string): Promise<readonly WeekFlow[]> {
  const { caches, projects } = currentBackend();
  const issues = await caches.issues(profileId, queryId);
  if (issues.length > 0) return weeksOfIssues(issues);
  const project = await projects.get(profileId, queryId);
  return project === undefined ? [] : weeksOfProject(project);
}

/** Removes answers of JIRA that have expired; how many of each kind. */
export async function deleteExpired(now: string): Promise<{ caches: number; changelogs: number }> {
  return await currentBackend().withTransaction(async ({ caches, changelogs }) => ({
    caches: await caches.deleteExpired(now),
    changelogs: await changelogs.deleteExpired(now),
  }));
}

function refuseMore(what: string, count: number, most: number): void {
  if (count < most) return;
  throw new SpringhouseError("VALIDATION", `There are ${count} ${what}, and no more may be.`, {
    fields: { count, most },
  });
}
