/**
 * Leases as rows: the write lock of SQLite makes sure that one of many processes gets each.
 *
 * A lease that is over goes to whoever asks next, and its first holder cannot give it back any
 * more, since each holder has a token of its own. A lease that ends later than twice its duration
 * from now was taken before the clock was set back, and is over, too.
 */

import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Database } from "../../sqlite/database.ts";
import type { LeaseHost } from "../tier.ts";
import { toStored } from "./key-text.ts";
import { LEASE, RELEASE, RENEW, statement } from "./statements.ts";

/** Runs a write on the file, also when it has to be made anew. */
export type RunWrite = <T>(work: (database: Database) => Promise<T>) => Promise<T>;

/** The leases of one file. */
export function sqliteLeases(write: RunWrite, clock: Clock): LeaseHost {
  return {
    async acquireLease(key, durationMs) {
      const token = randomUUID();
      const nowMs = clock.nowMs();
      const take = statement(
        LEASE,
        toStored(key),
        token,
        nowMs + durationMs,
        durationMs,
        nowMs,
        nowMs,
      );
      const [taken] = await write((database) => database.write([take]));
      return taken?.changes === 1 ? token : undefined;
    },
    async renewLease(key, token, durationMs) {
      const untilMs = clock.nowMs() + durationMs;
      const renew = statement(RENEW, untilMs, durationMs, toStored(key), token);
      const [renewed] = await write((database) => database.write([renew]));
      return renewed?.changes === 1;
    },
    async releaseLease(key, token) {
      const give = statement(RELEASE, toStored(key), token);
      await write((database) => database.write([give]));
    },
  };
}
