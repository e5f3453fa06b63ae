/** The keys of the section `backup`, as `keys.ts` has those of the others. */

/** The section. */
export const BACKUP_KEYS = {
  enabled: {
    type: "boolean",
    default: true,
    doc: "Whether `backup schedule` makes any, and migrations make one before they lose data.",
  },
  directory: { type: "path", default: "backups", doc: "The folder of the backups." },
  schedule: {
    type: "schedule",
    default: "0 2 * * *",
    doc: "When backups are made: minute, hour, day of month, month, day of week.",
  },
  cleanupSchedule: {
    type: "schedule",
    default: "0 3 * * 0",
    doc: "When backups are removed that no rule keeps.",
  },
  timeZone: {
    type: "timeZone",
    doc: "In which both are meant, such as `Europe/Berlin`; unset: that of the system.",
  },
  keepLast: {
    type: "count",
    min: 1,
    default: 30,
    aliases: { "backup.keep_last": "same" },
    doc: "How many backups are kept.",
  },
  keepDaily: {
    type: "count",
    default: 0,
    doc: "Of how many days with backups the newest is kept besides.",
  },
  keepWeekly: { type: "count", default: 0, doc: "The same of weeks." },
  keepMonthly: { type: "count", default: 0, doc: "The same of months." },
  keepYearly: { type: "count", default: 0, doc: "The same of years." },
  encryptionKey: {
    type: "secret",
    doc: "Encrypts new backups and reads encrypted ones: 32 random bytes, hexadecimal or base64.",
  },
  encryptionKeyFile: {
    type: "path",
    doc: "A file that holds the key, instead of the variable; only its owner may read it.",
  },
  segmentsUrl: {
    type: "url",
    schemes: ["s3", "file"],
    orFolder: true,
    doc: "A folder or a URL where `backup ship` puts segments; unset: `segments` in the directory.",
  },
  segmentsInterval: {
    type: "duration",
    default: "250ms",
    doc: "How often new commits are looked for: what the loss of the machine can cost.",
  },
  segmentsBaseEvery: {
    type: "duration",
    default: "1d",
    doc: "How often all pages are shipped again, so that restores stay short.",
  },
  segmentsKeep: {
    type: "duration",
    default: "7d",
    doc: "How far back `backup restore --to` reaches.",
  },
  segmentsLogSizeMax: {
    type: "bytes",
    default: "1GB",
    doc: "How long the write-ahead log may get while the place cannot be reached.",
  },
} as const;
