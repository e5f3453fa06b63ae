/** What the main thread and the thread that ships say to each other. */

import type { MessagePort } from "node:worker_threads";
import type { WireError } from "../../sqlite/errors.ts";
import type { BackupKey } from "../encryption.ts";
import type { ShipEvent, ShipperOptions, ShipperState } from "./shipper.ts";

/** What the thread is started with. */
export interface ShippingData
  extends Pick<ShipperOptions, "database" | "baseEveryMs" | "keepMs" | "logBytesMax"> {
  /** A folder, or `s3://bucket/prefix`. */
  readonly place: string;
  readonly key: BackupKey | undefined;
  /** Between two looks at the log. */
  readonly intervalMs: number;
  readonly port: MessagePort;
}

/** Asked of the thread; each request has one reply. */
export interface ShippingRequest {
  readonly id: number;
  /** `flush`: everything that is committed now is in the store, and no base is on its way. */
  readonly kind: "state" | "flush" | "close";
}

/** From the thread. */
export type ShippingReply =
  | { readonly kind: "state"; readonly id: number; readonly state: ShipperState }
  | { readonly kind: "failed"; readonly id: number; readonly error: WireError }
  | { readonly kind: "event"; readonly event: WireEvent };

/** An event as it travels between threads. */
export type WireEvent =
  | Exclude<ShipEvent, { kind: "failed" }>
  | { readonly kind: "failed"; readonly error: WireError };
