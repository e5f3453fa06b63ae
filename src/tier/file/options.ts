/** Options of the file tier, validated and filled. */

import { refuseUnknownKeys } from "../../core/options.ts";
import {
  assertText,
  resolveStoredOptions,
  STORED_KEYS,
  type StoredTierOptions,
  type StoredTierSettings,
} from "../stored-options.ts";

/** How to keep entries in files. Limits: `maxBytes` "1000MB", `maxEntryBytes` "10MB". */
export interface FileTierOptions extends StoredTierOptions {
  /** Where the files are; made when it is missing, for this user alone. Default: "cache/files". */
  readonly folder?: string;
}

/** Options with nothing left open. */
export interface FileTierSettings extends StoredTierSettings {
  readonly folder: string;
}

const WHAT = "fileTier";

/** Fills the defaults. @throws `INVALID_ARGUMENT` for an unknown key or a wrong value. */
export function resolveFileTierOptions(options: FileTierOptions = {}): FileTierSettings {
  refuseUnknownKeys(options, ["folder", ...STORED_KEYS], WHAT);
  const { folder = "cache/files" } = options;
  assertText(WHAT, "folder", folder);
  const settings = resolveStoredOptions(WHAT, options, {
    name: "file",
    maxBytes: "1000MB",
    maxEntryBytes: "10MB",
  });
  return { ...settings, folder };
}
