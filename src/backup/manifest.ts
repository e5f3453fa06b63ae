/**
 * What a backup says of itself: the file `manifest.json` in its folder.
 *
 * It is written once, before the backup gets its name, and never altered. A checksum over the rest
 * of it tells a damaged manifest from a damaged backup. What can change later (when the backup was
 * last proved, whether it is pinned) stands in files of their own.
 */

import { createHash } from "node:crypto";
import { SpringhouseError } from "../core/errors.ts";

/** Why a backup was made. */
export type BackupKind = (typeof BACKUP_KINDS)[number];
export const BACKUP_KINDS = ["manual", "scheduled", "pre-migration", "pre-restore"] as const;

/** One table of the database, as it was at the moment of the backup. */
export interface TableFacts {
  readonly name: string;
  readonly rows: number;
  /** Of all values in the order in which they are stored; keyed when the backup is encrypted. */
  readonly digest: string;
}

/** What a database holds: two with equal contents hold the same schema and the same rows. */
export interface DatabaseContent {
  /** Of the texts of the schema. */
  readonly schemaDigest: string;
  readonly tables: readonly TableFacts[];
  /** Rows that refer to nothing. A backup keeps what is there, so it may have some. */
  readonly foreignKeyViolations: number;
}

/** The place in the log of changes (`capture/log-tables.ts`) at the moment of the backup. */
export interface LogPlace {
  readonly sequence: number;
  /** Random bits of the last commit of our own; empty when another program wrote last. */
  readonly mark: string;
}

/** Facts about the file, besides what it holds. */
export interface DatabaseFacts {
  /** Name of the file without its folder. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly pageSizeBytes: number;
  /** SQLite's count of changes of the schema. */
  readonly schemaVersion: number;
  /** Newest applied migration; 0 without any. */
  readonly migration: number;
  readonly sqliteVersion: string;
  /** Undefined when changes are not logged. */
  readonly log?: LogPlace;
}

/** The file that holds the database: compressed with zstd, and encrypted after that. */
export interface PackedData {
  readonly file: string;
  readonly sizeBytes: number;
  /** SHA-256 of the file as it lies there. */
  readonly sha256: string;
  /** Of the database file that it was made from: every byte comes back. SHA-256, or keyed. */
  readonly rawDigest: string;
  readonly compression: "zstd";
  /** Undefined when it is not encrypted. */
  readonly encryption?: Encryption;
}

/** How the data is encrypted; see `encryption.ts`. */
export interface Encryption {
  readonly algorithm: "aes-256-gcm";
  /** Tells keys apart without saying anything about them. */
  readonly keyId: string;
  /** From it and the key comes the key of this backup alone. Hexadecimal. */
  readonly salt: string;
}

/** The manifest of one backup. */
export interface Manifest {
  readonly format: "springhouse-backup";
  readonly formatVersion: 1;
  readonly name: string;
  readonly kind: BackupKind;
  /** ISO 8601, UTC. Every commit that had ended before this moment is in the backup. */
  readonly createdAt: string;
  readonly database: DatabaseFacts;
  readonly content: DatabaseContent;
  readonly data: PackedData;
}

/** Files of a backup's folder. */
export const MANIFEST_FILE = "manifest.json";
export const DATA_FILE = "database.zst";
export const ENCRYPTED_DATA_FILE = "database.zst.enc";
const FORMAT = "springhouse-backup";
const FORMAT_VERSION = 1;

/** The text of a manifest, with its checksum. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, null, 2)}\n`;
}

/**
 * The manifest of a text.
 *
 * @param place names the file in messages.
 * @throws `BACKUP_DAMAGED` when it is no manifest, was altered, or is of a newer version.
 */
export function parseManifest(text: string, place: string): Manifest {
  const { checksum, ...manifest } = parseObject(text, place) as unknown as Manifest & {
    readonly checksum?: unknown;
  };
  if (manifest.format !== FORMAT) throw damaged(place, "it is no manifest of a backup");
  if (manifest.formatVersion !== FORMAT_VERSION) {
    const found = String(manifest.formatVersion);
    throw damaged(place, `its version is ${found}, and this one reads version ${FORMAT_VERSION}`);
  }
  if (checksum !== checksumOf(manifest)) {
    throw damaged(place, "its text does not match its checksum, so it was altered");
  }
  // Anybody can make a checksum, and the name becomes a path.
  if (![DATA_FILE, ENCRYPTED_DATA_FILE].includes(manifest.data.file)) {
    throw damaged(place, "its data is no file of a backup");
  }
  return manifest;
}

function parseObject(text: string, place: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw damaged(place, "it is no JSON", error);
  }
  throw damaged(place, "it is no object");
}

function checksumOf(manifest: Manifest): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}

function damaged(place: string, why: string, cause?: unknown): SpringhouseError {
  const message = `${place} cannot be used: ${why}. Take another backup.`;
  return new SpringhouseError("BACKUP_DAMAGED", message, { cause, fields: { place } });
}
