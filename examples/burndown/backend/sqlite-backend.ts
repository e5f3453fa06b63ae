/** The backend that keeps everything in the database. */

import { type BurndownDatabase, openDatabase } from "../database.ts";
import type { PersistenceBackend, Repositories } from "./backend.ts";
import { SqliteCaches, SqliteChangelogs } from "./sqlite-jira.ts";
import { type Place, SqliteProfiles, SqliteQueries, SqliteState } from "./sqlite-profiles.ts";
import {
  SqliteCalculations,
  SqliteProjects,
  SqliteSnapshots,
  SqliteTasks,
} from "./sqlite-project.ts";

export interface SqliteBackend extends PersistenceBackend {
  /** For questions in SQL, which no other backend can answer. */
  readonly database: BurndownDatabase;
}

/** Opens the file; it is made when it is not there. */
export async function openSqliteBackend(path: string): Promise<SqliteBackend> {
  const database = await openDatabase(path);
  return {
    ...repositoriesOf(database),
    database,
    withTransaction: (run) => database.transaction((tx) => run(repositoriesOf(tx))),
    close: () => database.close(),
  };
}

function repositoriesOf(place: Place): Repositories {
  return {
    profiles: new SqliteProfiles(place),
    queries: new SqliteQueries(place),
    caches: new SqliteCaches(place),
    changelogs: new SqliteChangelogs(place),
    projects: new SqliteProjects(place),
    snapshots: new SqliteSnapshots(place),
    state: new SqliteState(place),
    tasks: new SqliteTasks(place),
    calculations: new SqliteCalculations(place),
  };
}
