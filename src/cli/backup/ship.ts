/** `springhouse backup ship`: ships every commit, until it is stopped. */

import type { ShipEvent } from "../../backup/segments/shipper.ts";
import { formatBytes } from "../../core/bytes.ts";
import { formatDuration } from "../../core/duration.ts";
import { messageOf } from "../../core/errors.ts";
import type { CommandDefinition, Outcome } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { refusePostgres } from "./postgres.ts";
import { backupKeyOf, segmentsPlaceOf } from "./settings.ts";

export const backupShip: CommandDefinition = {
  name: "backup ship",
  summary: "Ship every commit to a folder or to S3, until it is stopped",
  examples: ["springhouse backup ship", "springhouse backup ship --url sqlite:app.db"],
  async run(invocation): Promise<Outcome> {
    const config = await loadSettings(invocation);
    refusePostgres("ship", config);
    const { segmentsInterval, segmentsBaseEvery, segmentsKeep, segmentsLogSizeMax } = config.backup;
    const { terminal } = invocation;
    const { startShipping } = await import("../../backup/segments/shipping.ts");
    const to = segmentsPlaceOf(config);
    const said = new Said((line) => terminal.err(`${line}\n`));
    const shipping = await startShipping({
      url: config.database.url,
      to,
      interval: segmentsInterval,
      baseEvery: segmentsBaseEvery,
      keep: segmentsKeep,
      logSizeMax: segmentsLogSizeMax,
      key: await backupKeyOf(config),
      onEvent: (event) => said.tell(event),
    });
    terminal.err(`shipping to ${to}\n`);
    await new Promise<void>((resolve) => {
      const timer = terminal.clock.schedule(() => undefined, FOREVER_MS, true);
      const stop = (): void => {
        timer[Symbol.dispose]();
        resolve();
      };
      if (terminal.signal.aborted) stop();
      terminal.signal.addEventListener("abort", stop, { once: true });
    });
    const state = await shipping.flush();
    await shipping.close();
    const text = `stopped; everything committed is in ${to}, ${state.transaction} transactions`;
    return { ok: true, data: { ...state }, text };
  },
};

/** A timer that keeps the process alive; what ships does not. */
const FOREVER_MS = 2 ** 40;

/** Lines for what matters; a failure that repeats is told once, and its end too. */
class Said {
  readonly #say: (line: string) => void;
  #failure: string | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  tell(event: ShipEvent): void {
    if (event.kind === "failed") {
      const message = messageOf(event.error);
      if (message !== this.#failure) this.#say(`failed, will be tried again: ${message}`);
      this.#failure = message;
      return;
    }
    if (event.kind === "shipped" && this.#failure !== undefined) {
      this.#failure = undefined;
      this.#say("shipping again");
    }
    const line = lineOf(event);
    if (line !== undefined) this.#say(line);
  }
}

function lineOf(event: ShipEvent): string | undefined {
  switch (event.kind) {
    case "generation":
      return `begun a generation, because ${event.reason}`;
    case "resumed":
      return `going on after transaction ${event.transaction}`;
    case "base":
      return `shipped a base of ${formatBytes(event.bytes)} at transaction ${event.transaction}`;
    case "pruned":
      return `removed ${event.objects} segments that are older than what is kept`;
    case "reset":
      return event.heldMs < NOTABLE_MS
        ? undefined
        : `held writers up for ${formatDuration(event.heldMs)}`;
    default:
      return undefined;
  }
}

/** Shorter waits of writers are no news. */
const NOTABLE_MS = 50;
