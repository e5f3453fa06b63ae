/**
 * Names of segments. They say what a plan needs, so that one list of names is enough to find what
 * restores a moment; whoever reads a segment compares its name with what it says itself.
 *
 *     20261126T093000123Z-<32 digits>/base-<transaction>-<part>-of-<parts>-<time>.seg
 *     20261126T093000123Z-<32 digits>/wal-<sequence>-<first>-<last transaction>-<time>.seg
 *
 * Numbers have leading zeros: names in order are segments in order.
 */

import { randomBytes } from "node:crypto";
import type { SegmentFacts } from "./segment.ts";

/** What a name says. */
export interface NamedSegment
  extends Pick<
    SegmentFacts,
    "kind" | "sequence" | "firstTransaction" | "lastTransaction" | "timeMs" | "parts"
  > {
  /** The whole name in the store. */
  readonly name: string;
  /** The folder: time of the beginning, and digits that no other generation has. */
  readonly folder: string;
}

const BASE = /^base-(\d{12})-(\d{6})-of-(\d{6})-(\d{14})\.seg$/;
const CHANGES = /^wal-(\d{10})-(\d{12})-(\d{12})-(\d{14})\.seg$/;
const FOLDER = /^\d{8}T\d{9}Z-[0-9a-f]{32}$/;

/** A new folder: one that sorts behind those begun before it. */
export function newFolder(nowMs: number): string {
  return `${stampOf(nowMs)}-${randomBytes(16).toString("hex")}`;
}

/** Whether the generation of a folder was begun at a time or before. */
export function isBegunBy(folder: string, timeMs: number): boolean {
  return folder.slice(0, folder.lastIndexOf("-")) <= stampOf(timeMs);
}

function stampOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replaceAll(/[-:.]/g, "");
}

/** The digits that every segment of the folder carries. */
export function generationOf(folder: string): string {
  return folder.slice(folder.lastIndexOf("-") + 1);
}

/** The name of a segment of a folder. */
export function segmentName(folder: string, facts: Omit<NamedSegment, "name" | "folder">): string {
  const { kind, sequence, firstTransaction, lastTransaction, timeMs, parts } = facts;
  const time = digits(timeMs, 14);
  const last = digits(lastTransaction, 12);
  if (kind === "base") {
    return `${folder}/base-${last}-${digits(sequence, 6)}-of-${digits(parts, 6)}-${time}.seg`;
  }
  const first = digits(firstTransaction, 12);
  return `${folder}/wal-${digits(sequence, 10)}-${first}-${last}-${time}.seg`;
}

/** What a name says, or nothing when it is not that of a segment. */
export function parseSegmentName(name: string): NamedSegment | undefined {
  const slash = name.lastIndexOf("/");
  const folder = name.slice(0, Math.max(slash, 0));
  if (!FOLDER.test(folder)) return undefined;
  const file = name.slice(slash + 1);
  const base = BASE.exec(file);
  if (base !== null) {
    const [at = 0, sequence = 0, parts = 0, timeMs = 0] = base.slice(1).map(Number);
    const span = { firstTransaction: at, lastTransaction: at };
    return { kind: "base", name, folder, sequence, ...span, timeMs, parts };
  }
  const changes = CHANGES.exec(file);
  if (changes === null) return undefined;
  const [sequence = 0, firstTransaction = 0, lastTransaction = 0, timeMs = 0] = changes
    .slice(1)
    .map(Number);
  return {
    kind: "changes",
    name,
    folder,
    sequence,
    firstTransaction,
    lastTransaction,
    timeMs,
    parts: 0,
  };
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, "0");
}
