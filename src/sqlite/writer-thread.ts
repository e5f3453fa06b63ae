/** The one writer of a file: runs write groups and transactions. Started by `writer.ts`. */

import { workerData } from "node:worker_threads";
import type { ThreadData } from "./protocol.ts";
import { serve } from "./thread-server.ts";
import { WriterSession } from "./writer-session.ts";

const data = workerData as ThreadData;
serve(data.port, () => new WriterSession(data));
