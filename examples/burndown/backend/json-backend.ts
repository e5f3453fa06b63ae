/**
 * The backend that keeps everything in the files of the old application, for going back and for a
 * move step by step. Files are read by the same converters as by the migration and written as
 * version 2.4 wrote them; a query has one answer of JIRA, and tokens stay in `profile.json`, where
 * the old application looks for them.
 *
 * Changes wait for each other, and every change is a transaction of files. Another process that
 * writes the same folder at the same time is not seen, as the old application had no lock.
 */

import { SpringhouseError } from "springhouse";
import { FileTransaction, recoverFiles } from "../legacy/file-transaction.ts";
import { LegacyFolder } from "../legacy/folder.ts";
import type { PersistenceBackend, Repositories } from "./backend.ts";
import { JsonCaches, JsonChangelogs, JsonProjects, JsonSnapshots } from "./json-data.ts";
import type { JsonFiles } from "./json-files.ts";
import { JsonProfiles, JsonQueries, JsonState } from "./json-profiles.ts";
import { JsonCalculations, JsonTasks } from "./json-tasks.ts";

/** Opens the folder; it may be empty. */
export function openJsonBackend(root: string): PersistenceBackend {
  recoverFiles(root);
  const folder = new LegacyFolder(root, ({ file, line, reason }) => {
    const message = `${file}, line ${line}: ${reason}. Mend the file.`;
    throw new SpringhouseError("VALIDATION", message, { fields: { file, line } });
  });
  let last: Promise<unknown> = Promise.resolve();

  /** One transaction after another; what one throws is for its caller only. */
  const change: JsonFiles["change"] = (run) => {
    const next = last.then(async () => {
      const changes = new FileTransaction(root);
      const result = await run(changes, folder.with(changes));
      changes.commit();
      return result;
    });
    last = next.catch(() => undefined);
    return next;
  };

  return {
    ...repositoriesOf({ folder, change }),
    withTransaction: (run) =>
      change((changes, inside) => {
        const within: JsonFiles["change"] = async (work) => await work(changes, inside);
        return run(repositoriesOf({ folder: inside, change: within }));
      }),
    close: async () => {
      await last;
    },
  };
}

function repositoriesOf(files: JsonFiles): Repositories {
  return {
    profiles: new JsonProfiles(files),
    queries: new JsonQueries(files),
    caches: new JsonCaches(files),
    changelogs: new JsonChangelogs(files),
    projects: new JsonProjects(files),
    snapshots: new JsonSnapshots(files),
    state: new JsonState(files),
    tasks: new JsonTasks(files),
    calculations: new JsonCalculations(files),
  };
}
