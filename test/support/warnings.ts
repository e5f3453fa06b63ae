/** Warnings of the library, gathered instead of printed. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { Warning } from "../../src/core/channels.ts";

/** A list that each warning is added to until the test is over. */
export function warningsOf(): Warning[] {
  const warnings: Warning[] = [];
  const listen = (message: unknown): void => void warnings.push(message as Warning);
  subscribe("springhouse:warning", listen);
  onTestFinished(() => void unsubscribe("springhouse:warning", listen));
  return warnings;
}
