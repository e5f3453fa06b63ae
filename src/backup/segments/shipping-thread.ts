/** The thread that ships one database. Started by `shipping.ts`. */

import { workerData } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { toWireError } from "../../sqlite/errors.ts";
import { openObjectStore } from "../object-store-open.ts";
import { takeShipLock } from "./ship-lock.ts";
import { type ShipEvent, Shipper, type ShipperState } from "./shipper.ts";
import type { ShippingData, ShippingReply, ShippingRequest } from "./shipping-protocol.ts";

const data = workerData as ShippingData;
const { port } = data;
const post = (reply: ShippingReply): void => port.postMessage(reply);

function tell(event: ShipEvent): void {
  const isFailure = event.kind === "failed";
  post({
    kind: "event",
    event: isFailure ? { kind: "failed", error: toWireError(event.error) } : event,
  });
}

/** The shipper with its lock and its store, and one step at a time. */
class Session {
  readonly #lock: Disposable;
  readonly #shipper: Shipper;
  readonly #closeStore: () => Promise<void>;
  #steps: Promise<void> = Promise.resolve();
  #timer: Disposable | undefined;
  #isClosing = false;

  private constructor(lock: Disposable, shipper: Shipper, closeStore: () => Promise<void>) {
    this.#lock = lock;
    this.#shipper = shipper;
    this.#closeStore = closeStore;
  }

  static async open(): Promise<Session> {
    const store = await openObjectStore(data.place, data.key);
    const lock = takeShipLock(data.database);
    const shipper = new Shipper({ ...data, store, clock: systemClock, onEvent: tell });
    return new Session(lock, shipper, () => store.close());
  }

  get state(): ShipperState {
    return this.#shipper.state;
  }

  /** Behind the steps that were asked for before. */
  step(): Promise<void> {
    const step = this.#steps.then(() => this.#shipper.step());
    this.#steps = step.catch(() => undefined);
    return step;
  }

  async flush(): Promise<ShipperState> {
    await this.step();
    await this.#shipper.settled();
    return this.state;
  }

  /** Looks at the log again and again. */
  repeat(): void {
    if (this.#isClosing) return;
    this.#timer = systemClock.schedule(() => {
      this.step()
        .catch((error: unknown) => tell({ kind: "failed", error }))
        .finally(() => this.repeat());
    }, data.intervalMs);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#timer?.[Symbol.dispose]();
    await this.#steps;
    await this.#shipper.close();
    this.#lock[Symbol.dispose]();
    await this.#closeStore();
  }
}

let session: Session | undefined;

/** The first request opens, so that what is wrong with the options is its answer. */
async function open(): Promise<Session> {
  const opened = await Session.open();
  try {
    await opened.step();
  } catch (error) {
    await opened.close();
    throw error;
  }
  opened.repeat();
  return opened;
}

async function answer({ kind }: ShippingRequest): Promise<ShipperState> {
  session ??= await open();
  if (kind === "flush") return await session.flush();
  if (kind === "close") await session.close();
  return session.state;
}

port.on("message", (request: ShippingRequest) => {
  answer(request).then(
    (state) => post({ kind: "state", id: request.id, state }),
    (error: unknown) => post({ kind: "failed", id: request.id, error: toWireError(error) }),
  );
});
