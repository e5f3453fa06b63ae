/** The keys of the section `monitoring`: what `db.health()` takes, by the same names. */

import type { ByteSize } from "../core/bytes.ts";
import type { Duration } from "../core/duration.ts";
import { THRESHOLDS, type ThresholdName } from "../health/thresholds.ts";

type TypeOf<Unit> = Unit extends "bytes" | "duration" ? Unit : "count";

type ThresholdKeys = {
  readonly [Name in ThresholdName]: {
    readonly [Level in "warning" | "unhealthy"]: {
      readonly type: TypeOf<(typeof THRESHOLDS)[Name]["unit"]>;
      readonly default: ByteSize | Duration;
      readonly doc: string;
    };
  };
};

/** Two keys for each threshold, from the table that health has of them. */
function thresholdKeys(): ThresholdKeys {
  const keys = Object.entries(THRESHOLDS).map(([name, facts]) => {
    const { doc, trouble, unit, warning, unhealthy } = facts;
    const type = unit === "bytes" || unit === "duration" ? unit : "count";
    const percent = unit === "percent" ? " In percent." : "";
    const more = unit === "count" ? "So many are" : "More is";
    const limit = trouble === "above" ? more : "Less is";
    const levels = {
      warning: {
        type,
        default: warning,
        doc: `${doc}${percent} ${limit} a warning; 0 switches it off.`,
      },
      unhealthy: { type, default: unhealthy, doc: `${limit} unhealthy; 0 switches it off.` },
    };
    return [name, levels];
  });
  return Object.fromEntries(keys) as ThresholdKeys;
}

export const MONITORING_KEYS = {
  enabled: { type: "boolean", default: true, doc: "Whether health is checked at intervals." },
  healthCheckInterval: {
    type: "duration",
    default: "60s",
    aliases: { "monitoring.health_check_interval": "seconds" },
    doc: "How often health is checked.",
  },
  checkTimeout: {
    type: "duration",
    default: "5s",
    doc: "What has not answered after this time is unhealthy.",
  },
  slowQueryWindow: {
    type: "duration",
    default: "5m",
    doc: "How far back slow statements count.",
  },
  quickCheckInterval: {
    type: "duration",
    default: "7d",
    doc: "How often `quick_check` reads all pages of the database; 0 for never.",
  },
  thresholds: thresholdKeys() as ThresholdKeys,
} as const;
