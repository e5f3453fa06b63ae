/** When a backup was last restored and checked, and with what result: `verified.json`. */

import { join } from "node:path";
import type { SpringhouseError } from "../core/errors.ts";
import { readIfThere, writeWhole } from "./folder.ts";
import type { Proof } from "./protocol.ts";

/** The result of the last proof of a backup. */
export type Verification =
  | {
      readonly ok: true;
      /** ISO 8601, UTC. */
      readonly verifiedAt: string;
      readonly proof: Proof;
    }
  | {
      readonly ok: false;
      readonly verifiedAt: string;
      /** What is wrong with it. */
      readonly problem: string;
    };

const FILE = "verified.json";

/** Notes that a proof went well. */
export function proved(proof: Proof, nowMs: number): Verification {
  return { ok: true, verifiedAt: new Date(nowMs).toISOString(), proof };
}

/** Notes why it did not. */
export function disproved(error: SpringhouseError, nowMs: number): Verification {
  return { ok: false, verifiedAt: new Date(nowMs).toISOString(), problem: error.message };
}

/** Keeps the result in the folder of the backup. */
export async function keepVerification(path: string, result: Verification): Promise<void> {
  await writeWhole(join(path, FILE), `${JSON.stringify(result, null, 2)}\n`);
}

/** The kept result; undefined when there is none that can be read. */
export async function readVerification(path: string): Promise<Verification | undefined> {
  const text = await readIfThere(join(path, FILE));
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Verification;
    const isResult = typeof value.ok === "boolean" && !Number.isNaN(Date.parse(value.verifiedAt));
    return isResult ? value : undefined;
  } catch {
    return undefined;
  }
}
