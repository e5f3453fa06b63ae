/** The one writer thread of a file. Started by `writer.ts`. */

import { workerData } from "node:worker_threads";
import { systemClock } from "../core/clock.ts";
import { CommitCounters } from "./commit-counters.ts";
import type { ThreadData, WriterRequest } from "./protocol.ts";
import { serve } from "./thread-server.ts";
import { WriteLock } from "./write-lock.ts";
import { WriterSession } from "./writer-session.ts";

const data = workerData as ThreadData;
const counters = new CommitCounters(data.commits);
const lock = new WriteLock(data.busyTimeoutMs, () => counters.noteLockWait());
const open = (notify: (value: unknown) => void, first: WriterRequest): WriterSession => {
  const asked = "askedMs" in first ? first.askedMs : undefined;
  const askedMs = typeof asked === "object" ? asked[0] : asked;
  return new WriterSession(data, systemClock, notify, { lock, askedMs });
};
serve(data.port, open, true);
