/** Profiles, queries and which of them are in use, in the files of the old application. */

import { SpringhouseError } from "springhouse";
import { isObject } from "../json-reader.ts";
import { factsOf, withFact } from "../legacy/facts.ts";
import type { FileTransaction } from "../legacy/file-transaction.ts";
import { isSafeId, type LegacyFolder } from "../legacy/folder.ts";
import { withOldSecrets, writeProfile, writeQuery } from "../legacy/profile.ts";
import type { JsonObject, Profile, Query, Selection } from "../model.ts";
import { withSecrets } from "../secrets.ts";
import type { ProfileRepository, QueryRepository, StateRepository } from "./backend.ts";
import { type JsonFiles, profileFolder, queryFolder } from "./json-files.ts";
import { notFound } from "./sqlite-profiles.ts";

const REGISTRY = "profiles/profiles.json";

export class JsonProfiles implements ProfileRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(id: string): Promise<Profile | undefined> {
    return profileIn(this.#files.folder, id);
  }

  async list(): Promise<readonly Profile[]> {
    return profilesIn(this.#files.folder);
  }

  async save(profile: Profile): Promise<void> {
    await this.#files.change((changes, folder) => {
      const all = profilesIn(folder);
      const same = all.find(({ id }) => id === profile.id);
      refuseTaken(all, profile, "profile");
      refuseUnsafe(profile.id);
      writeProfileFile(changes, folder, {
        ...profile,
        createdAt: same?.createdAt ?? profile.createdAt,
      });
    });
  }

  async delete(id: string): Promise<void> {
    await this.#files.change((changes, folder) => {
      if (profileIn(folder, id) === undefined) return;
      changes.remove(profileFolder(id));
      const registry = registryIn(folder);
      const { [id]: _, ...others } = registry.profiles;
      writeRegistry(changes, folder, { ...registry, profiles: others });
    });
  }
}

export class JsonQueries implements QueryRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(profileId: string, id: string): Promise<Query | undefined> {
    return queryIn(this.#files.folder, profileId, id);
  }

  async list(profileId: string): Promise<readonly Query[]> {
    return queriesIn(this.#files.folder, profileId);
  }

  async save(query: Query): Promise<void> {
    await this.#files.change((changes, folder) => {
      const profile = profileIn(folder, query.profileId);
      if (profile === undefined) throw notFound("Profile", query.profileId);
      const all = queriesIn(folder, query.profileId);
      const same = all.find(({ id }) => id === query.id);
      refuseTaken(all, query, "query");
      refuseUnsafe(query.id);
      const whole = { ...query, createdAt: same?.createdAt ?? query.createdAt };
      writeQueryFile(changes, folder, whole);
      // The profile lists its queries.
      if (same === undefined) writeProfileFile(changes, folder, profile, query.id);
    });
  }

  async delete(profileId: string, id: string): Promise<void> {
    await this.#files.change((changes, folder) => {
      const profile = profileIn(folder, profileId);
      if (profile === undefined || queryIn(folder, profileId, id) === undefined) return;
      changes.remove(queryFolder(profileId, id));
      writeProfileFile(changes, folder, profile);
    });
  }
}

export class JsonState implements StateRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(key: string): Promise<string | undefined> {
    return factsOf(registryIn(this.#files.folder).others).get(key);
  }

  async set(key: string, value: string): Promise<void> {
    await this.#files.change((changes, folder) => {
      const registry = registryIn(folder);
      writeRegistry(changes, folder, {
        ...registry,
        others: withFact(registry.others, key, value),
      });
    });
  }

  async list(): Promise<readonly (readonly [key: string, value: string])[]> {
    const facts = factsOf(registryIn(this.#files.folder).others);
    return [...facts].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async selection(): Promise<Selection> {
    const { folder } = this.#files;
    const { others } = registryIn(folder);
    const profiles = profilesIn(folder);
    const isChosen = (key: string) => (each: { readonly id: string }) => each.id === others[key];
    const profile = profiles.find(isChosen("active_profile_id")) ?? profiles[0];
    if (profile === undefined) return { profileId: null, queryId: null };
    const queries = queriesIn(folder, profile.id);
    const query = queries.find(isChosen("active_query_id")) ?? queries[0];
    return { profileId: profile.id, queryId: query?.id ?? null };
  }

  async select(profileId: string, queryId: string | null, now: string): Promise<void> {
    await this.#files.change((changes, folder) => {
      const profile = profileIn(folder, profileId);
      if (profile === undefined) throw notFound("Profile", profileId);
      const query = queryId === null ? undefined : queryIn(folder, profileId, queryId);
      if (queryId !== null && query === undefined) throw notFound("Query", queryId);
      writeProfileFile(changes, folder, { ...profile, lastUsed: now });
      if (query !== undefined) {
        writeQueryFile(changes, folder, { ...query, lastUsed: now });
      }
      const registry = registryIn(folder);
      const { active_query_id: _, ...others } = registry.others;
      const chosen = {
        active_profile_id: profileId,
        ...(queryId !== null && { active_query_id: queryId }),
      };
      writeRegistry(changes, folder, { ...registry, others: { ...others, ...chosen } });
    });
  }
}

interface RegistryFile {
  readonly profiles: JsonObject;
  readonly others: JsonObject;
}

function registryIn(folder: LegacyFolder): RegistryFile {
  const { profiles, selection, others } = folder.registry();
  const { profileId, queryId } = selection;
  const chosen = {
    ...(profileId !== null && { active_profile_id: profileId }),
    ...(queryId !== null && { active_query_id: queryId }),
  };
  return { profiles: Object.fromEntries(profiles), others: { ...others, ...chosen } };
}

function writeRegistry(
  changes: FileTransaction,
  folder: LegacyFolder,
  { profiles, others }: RegistryFile,
): void {
  const kept = withSecrets({ version: "3.0", ...others }, folder.read(REGISTRY)?.value);
  changes.write(REGISTRY, { ...(kept as JsonObject), profiles });
}

/** Writes a profile into its file and the registry; its secrets stay. */
function writeProfileFile(
  changes: FileTransaction,
  folder: LegacyFolder,
  profile: Profile,
  newQueryId?: string,
): void {
  const file = `${profileFolder(profile.id)}/profile.json`;
  const own = folder.read(file)?.value;
  const known = folder.registry().profiles.get(profile.id);
  const ids = folder.with(changes).queryIds(profile.id);
  const queryIds =
    newQueryId === undefined || ids.includes(newQueryId) ? ids : [...ids, newQueryId];
  const written = writeProfile(profile, queryIds);
  changes.write(file, withOldSecrets(written, { ...known, ...(isObject(own) && own) }));
  const registry = registryIn(folder);
  const { id, name, description, createdAt, lastUsed } = profile;
  const entry = { id, name, description, created_at: createdAt, last_used: lastUsed };
  writeRegistry(changes, folder, { ...registry, profiles: { ...registry.profiles, [id]: entry } });
}

/** Writes a query; its secrets stay. */
function writeQueryFile(changes: FileTransaction, folder: LegacyFolder, query: Query): void {
  const file = `${queryFolder(query.profileId, query.id)}/query.json`;
  changes.write(file, withSecrets(writeQuery(query), folder.read(file)?.value));
}

function profileIn(folder: LegacyFolder, id: string): Profile | undefined {
  const registry = folder.registry();
  const isThere = folder.profileIds().includes(id) || registry.profiles.has(id);
  return isThere ? folder.profile(id, registry).profile : undefined;
}

function profilesIn(folder: LegacyFolder): Profile[] {
  const registry = folder.registry();
  const ids = new Set([...folder.profileIds(), ...registry.profiles.keys()]);
  return [...ids].map((id) => folder.profile(id, registry).profile).sort(byLastUse);
}

function queryIn(folder: LegacyFolder, profileId: string, id: string): Query | undefined {
  return folder.queryIds(profileId).includes(id) ? folder.query(profileId, id) : undefined;
}

function queriesIn(folder: LegacyFolder, profileId: string): Query[] {
  return folder
    .queryIds(profileId)
    .map((id) => folder.query(profileId, id))
    .sort(byLastUse);
}

interface Used {
  readonly id: string;
  readonly lastUsed: string;
}

function byLastUse(a: Used, b: Used): number {
  if (a.lastUsed !== b.lastUsed) return a.lastUsed < b.lastUsed ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

function refuseTaken(
  all: readonly { readonly id: string; readonly name: string }[],
  { id, name }: { readonly id: string; readonly name: string },
  what: string,
): void {
  if (!all.some((each) => each.id !== id && each.name === name)) return;
  const message = `There is a ${what} "${name}" already. Give another name.`;
  throw new SpringhouseError("CONSTRAINT", message, { fields: { name } });
}

/** An id becomes the name of a folder. */
function refuseUnsafe(id: string): void {
  if (isSafeId(id)) return;
  const message = `"${id}" cannot be an id: it would not be the name of one folder.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { id } });
}
