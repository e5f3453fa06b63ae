/** The one writer thread of a file. Started by `writer.ts`. */

import { workerData } from "node:worker_threads";
import { systemClock } from "../core/clock.ts";
import type { ThreadData } from "./protocol.ts";
import { serve } from "./thread-server.ts";
import { WriterSession } from "./writer-session.ts";

const data = workerData as ThreadData;
serve(data.port, (notify) => new WriterSession(data, systemClock, notify), true);
