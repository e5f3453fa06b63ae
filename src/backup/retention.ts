/**
 * Which backups are kept: the last so many, and of longer ago the newest of each day, week, month
 * and year (grandfather, father, son). A pure function of what there is, so that a plan can be
 * looked at before anything is removed.
 *
 * Never in question are pinned ones; those that were made before a restore or a migration, for a
 * month; and those that are damaged, cannot be read or say that they were made in the future, which
 * are for somebody to look at, and count for nothing.
 */

import { isOfFuture } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { BackupEntry } from "./list.ts";
import type { Manifest } from "./manifest.ts";

/** How many backups are kept. What one rule keeps, no other rule removes. */
export interface RetentionPolicy {
  /** The newest ones. At least 1. Default: 30. */
  readonly keepLast?: number;
  /** The newest one of each of so many days that have any, in UTC. Default: 0. */
  readonly keepDaily?: number;
  /** The same of weeks, which begin on Monday. Default: 0. */
  readonly keepWeekly?: number;
  /** The same of months. Default: 0. */
  readonly keepMonthly?: number;
  /** The same of years. Default: 0. */
  readonly keepYearly?: number;
}

/** What the rules look at. */
export interface Retained
  extends Pick<BackupEntry, "name" | "createdAt" | "pinned" | "verification" | "problem"> {
  /** Undefined when it cannot be read. */
  readonly manifest: Pick<Manifest, "kind"> | undefined;
}

/** What becomes of one backup, and why. */
export interface RetentionDecision {
  readonly name: string;
  readonly action: "keep" | "remove";
  /** "last 3", "week of 2026-11-23", "pinned"; of what is removed, that all others are newer. */
  readonly reasons: readonly string[];
}

/** So long nobody can be sure that a restore or a migration was right. */
export const SAFETY_MS: number = 30 * 86_400_000;
const DAY_MS = 86_400_000;
const RULES = ["keepLast", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"] as const;
const DEFAULTS: Readonly<Required<RetentionPolicy>> = {
  keepLast: 30,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  keepYearly: 0,
};

/** Keys of a policy. */
export const RETENTION_KEYS: readonly string[] = RULES;

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key, or what is no count.
 */
export function resolvePolicy(call: string, policy: RetentionPolicy): Required<RetentionPolicy> {
  refuseUnknownKeys(policy, RULES, call);
  const filled = { ...DEFAULTS, ...policy };
  for (const rule of RULES) {
    const least = rule === "keepLast" ? 1 : 0;
    const value = filled[rule];
    if (Number.isSafeInteger(value) && value >= least) continue;
    const message = `${call}: ${rule} must be a whole number of at least ${least}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: rule, value } });
  }
  return filled;
}

/** Decides about every backup of a folder. */
export function planRetention(
  entries: readonly Retained[],
  policy: Required<RetentionPolicy>,
  nowMs: number,
): readonly RetentionDecision[] {
  const safe = new Map(entries.map((entry) => [entry.name, safetyOf(entry, nowMs)]));
  const counted = entries
    .filter(({ name, createdAt }) => safe.get(name) === undefined && createdAt !== undefined)
    .sort((a, b) => timeOf(b) - timeOf(a));
  const reasons = new Map<string, string[]>();
  const keep = (name: string, reason: string): void => {
    reasons.set(name, [...(reasons.get(name) ?? []), reason]);
  };
  for (const [index, { name }] of counted.slice(0, policy.keepLast).entries()) {
    keep(name, `last ${index + 1}`);
  }
  for (const { count, period } of periodsOf(policy)) {
    const newest = new Map<string, string>();
    for (const entry of counted) {
      const key = period(timeOf(entry));
      if (!newest.has(key) && newest.size < count) newest.set(key, entry.name);
    }
    for (const [key, name] of newest) keep(name, key);
  }
  return entries.map(({ name }) => {
    const safety = safe.get(name);
    const kept = safety === undefined ? reasons.get(name) : [safety];
    if (kept !== undefined) return { name, action: "keep", reasons: kept };
    return { name, action: "remove", reasons: ["older than all that is kept"] };
  });
}

function safetyOf(entry: Retained, nowMs: number): string | undefined {
  const { pinned, problem, manifest, verification } = entry;
  if (pinned) return "pinned";
  if (manifest === undefined) return "cannot be read";
  if (problem !== undefined || verification?.ok === false) return "damaged";
  // As the newest one it would push out a sound one, for as long as that moment has not come.
  if (isOfFuture(timeOf(entry), nowMs)) return "in the future";
  const isSafety = manifest.kind === "pre-restore" || manifest.kind === "pre-migration";
  return isSafety && nowMs - timeOf(entry) < SAFETY_MS ? manifest.kind : undefined;
}

function timeOf({ createdAt }: Retained): number {
  return createdAt?.getTime() ?? Number.NEGATIVE_INFINITY;
}

interface Period {
  readonly count: number;
  /** The same text for all moments of one period. */
  readonly period: (ms: number) => string;
}

function periodsOf(policy: Required<RetentionPolicy>): readonly Period[] {
  const iso = (ms: number, length: number): string => new Date(ms).toISOString().slice(0, length);
  return [
    { count: policy.keepDaily, period: (ms) => `day ${iso(ms, 10)}` },
    { count: policy.keepWeekly, period: (ms) => `week of ${iso(mondayOf(ms), 10)}` },
    { count: policy.keepMonthly, period: (ms) => `month ${iso(ms, 7)}` },
    { count: policy.keepYearly, period: (ms) => `year ${iso(ms, 4)}` },
  ];
}

function mondayOf(ms: number): number {
  const daysAfterMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return ms - daysAfterMonday * DAY_MS;
}
