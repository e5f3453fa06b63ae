/** A reader thread. Started by `reader.ts`. */

import { workerData } from "node:worker_threads";
import type { ThreadData } from "./protocol.ts";
import { ReaderSession } from "./reader-session.ts";
import { serve } from "./thread-server.ts";

const data = workerData as ThreadData;
serve(data.port, () => new ReaderSession(data));
