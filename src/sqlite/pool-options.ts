/** Settings of a pool of connections. The names and defaults are those that people bring. */

import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { assertMilliseconds } from "./milliseconds.ts";

/** How many connections, and how long. */
export interface PoolOptions {
  /** Connections that are kept when idle. They are made when needed, not before. Default: 3. */
  readonly minSize?: number;
  /** Connections at most. Default: 10. */
  readonly maxSize?: number;
  /** How long a caller waits for a connection, milliseconds. Default: 5,000. */
  readonly connectionTimeoutMs?: number;
  /**
   * A connection above `minSize` that is idle for longer is closed, milliseconds.
   * Default: 300,000.
   */
  readonly idleTimeoutMs?: number;
  /** A connection that is older is replaced between two uses, milliseconds. Default: 3,600,000. */
  readonly maxLifetimeMs?: number;
  /**
   * Whoever keeps a connection for longer is reported with the place that took it, milliseconds;
   * 0 switches it off. Default: 60,000.
   */
  readonly leakDetectionThresholdMs?: number;
}

/** Settings with nothing left open. */
export type ResolvedPoolOptions = Required<PoolOptions>;

const DEFAULTS: ResolvedPoolOptions = {
  minSize: 3,
  maxSize: 10,
  connectionTimeoutMs: 5_000,
  idleTimeoutMs: 300_000,
  maxLifetimeMs: 3_600_000,
  leakDetectionThresholdMs: 60_000,
};
/** More threads than this only take memory from each other. */
const SIZE_MAX = 1_000;

/**
 * Fills the defaults. A `maxSize` that is given alone lowers the default `minSize` with it.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key or a value that cannot work.
 */
export function resolvePoolOptions(options: PoolOptions = {}): ResolvedPoolOptions {
  refuseUnknownKeys(options, Object.keys(DEFAULTS), "pool");
  const maxSize = options.maxSize ?? Math.max(DEFAULTS.maxSize, options.minSize ?? 0);
  const resolved: ResolvedPoolOptions = {
    minSize: options.minSize ?? Math.min(DEFAULTS.minSize, maxSize),
    maxSize,
    connectionTimeoutMs: options.connectionTimeoutMs ?? DEFAULTS.connectionTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs ?? DEFAULTS.idleTimeoutMs,
    maxLifetimeMs: options.maxLifetimeMs ?? DEFAULTS.maxLifetimeMs,
    leakDetectionThresholdMs: options.leakDetectionThresholdMs ?? DEFAULTS.leakDetectionThresholdMs,
  };
  for (const [name, value] of Object.entries(resolved)) assertMilliseconds(`pool.${name}`, value);
  assertWhole("pool.minSize", resolved.minSize);
  assertWhole("pool.maxSize", resolved.maxSize);
  if (maxSize < 1 || maxSize > SIZE_MAX || resolved.minSize > maxSize) {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `pool: minSize ${resolved.minSize} and maxSize ${maxSize} do not fit together. ` +
        `maxSize is 1 to ${SIZE_MAX}, and minSize is not above it.`,
      { fields: { minSize: resolved.minSize, maxSize } },
    );
  }
  return resolved;
}

function assertWhole(name: string, value: number): void {
  if (Number.isInteger(value)) return;
  throw new SpringhouseError("INVALID_ARGUMENT", `${name}: ${value} is not a whole number.`, {
    fields: { name, value },
  });
}
