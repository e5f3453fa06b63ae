/** What is imported: files, folders of files, and how their text is cut into documents. */

import { readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";

/**
 * How a text is cut: `array` into the elements of a list, `map` into the members of an object,
 * `ndjson` into lines, `csv` into records under a header, `document` not at all.
 */
export type ImportFormat = "array" | "csv" | "document" | "map" | "ndjson";

/** One place to read from. */
export interface ImportSource {
  /** A file, or a folder whose files are taken in the order of their names, deep. */
  readonly path: string;
  /** Told to the mapping with each item. Default: the name of the file or folder. */
  readonly name?: string;
  /**
   * A folder above the path: rejects and copies name files by where they are below it, so that
   * files of one name can be told apart. Default: the folder that is named as path.
   */
  readonly below?: string;
  /** Default: by the ending, and for `.json` by how the text begins. */
  readonly format?: ImportFormat;
  /** Where the list or object with the items is inside the text: "issues". Default: the text. */
  readonly at?: string;
  /** Members that a document is read without, such as a list read elsewhere. Default: none. */
  readonly omit?: readonly string[];
}

/** One file to read, with what is known about it beforehand. */
export interface SourceFile {
  readonly path: string;
  readonly name: string;
  /** The path below the folder that was named; the file's own name otherwise. */
  readonly relative: string;
  /** Its place in a folder of copies. */
  readonly copy: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly format: ImportFormat | undefined;
  readonly at: readonly string[];
  readonly omit: readonly string[];
}

/** More files in one folder are a mistake in the path rather than data to import. */
const FILES_MAX = 1_000_000;
const FORMATS: readonly ImportFormat[] = ["array", "csv", "document", "map", "ndjson"];
const ENDINGS = /\.(?:json|jsonl|ndjson|csv)(?:\.(?:gz|zst))?$/i;

/**
 * The files of the sources, in the order in which they are read.
 *
 * @param isExcluded says which paths inside of folders are somebody else's.
 * @param filesMax how many a folder may have, deep.
 * @throws `UNOPENABLE` for what is not there, `INVALID_ARGUMENT` for what cannot be meant.
 */
export function sourceFiles(
  sources: readonly ImportSource[],
  isExcluded: (path: string) => boolean = () => false,
  filesMax: number = FILES_MAX,
): readonly SourceFile[] {
  const files = sources.flatMap((source) => filesOf(source, isExcluded, filesMax));
  if (files.length > 0) return files;
  const paths = sources.map(({ path }) => path).join(", ");
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `There is nothing to import in ${paths || "no source"}: name files, or a folder with files ` +
      "that end in .json, .jsonl, .ndjson or .csv, also with .gz or .zst behind it.",
    { fields: { paths } },
  );
}

function filesOf(
  source: ImportSource,
  isExcluded: (path: string) => boolean,
  filesMax: number,
): readonly SourceFile[] {
  const keys = ["path", "name", "below", "format", "at", "omit"];
  refuseUnknownKeys(source, keys, "A source of an import");
  const { format } = source;
  if (format !== undefined && !FORMATS.includes(format)) {
    const message = `format: "${format}" is none. There are: ${FORMATS.join(", ")}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { format } });
  }
  const path = resolve(source.path);
  const facts = statOf(path);
  if (!facts.isDirectory()) return [fileOf(source, path, basename(path), facts, "")];
  const files: string[] = [];
  for (const file of filesBelow(path, isExcluded, new Set())) {
    if (files.length === filesMax) throw tooMany(path, filesMax);
    files.push(file);
  }
  return files
    .sort(byParts)
    .map((file) => fileOf(source, file, relative(path, file), statOf(file), basename(path)));
}

function tooMany(path: string, filesMax: number): SpringhouseError {
  const message =
    `${path} has more than ${filesMax.toLocaleString("en")} files to import. If that is the ` +
    "folder that was meant, import the folders in it one after the other.";
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { path, filesMax } });
}

/**
 * The files of a folder, deep. Links are followed; what is reached in several ways, as in a circle
 * of links, is read once, where it comes first.
 */
function* filesBelow(
  folder: string,
  isExcluded: (path: string) => boolean,
  seen: Set<string>,
): Generator<string> {
  seen.add(realpathSync(folder));
  for (const name of readdirSync(folder).sort(byParts)) {
    const path = join(folder, name);
    if (isExcluded(path)) continue;
    const facts = statOf(path);
    const real = realpathSync(path);
    if (seen.has(real) || isExcluded(real)) continue;
    if (facts.isDirectory()) yield* filesBelow(path, isExcluded, seen);
    else if (ENDINGS.test(name)) {
      if (!facts.isFile()) throw noFile(path);
      seen.add(real);
      yield path;
    }
  }
}

function noFile(path: string): SpringhouseError {
  const message = `${path} is neither a file nor a folder. Take it out of the folder.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { path } });
}

function fileOf(
  source: ImportSource,
  path: string,
  below: string,
  { size, mtimeMs }: Stats,
  folder: string,
): SourceFile {
  const { name = basename(resolve(source.path)), below: root, format, at, omit = [] } = source;
  const place = root === undefined ? below : placeBelow(root, path);
  return {
    path,
    name,
    relative: place.replaceAll(sep, "/"),
    copy: root === undefined ? join(folder, below) : place,
    bytes: size,
    modifiedMs: mtimeMs,
    format,
    at: at === undefined || at === "" ? [] : at.split("."),
    omit,
  };
}

/** Where a file is below a folder; the copy of one that is not would leave the folder of copies. */
function placeBelow(folder: string, path: string): string {
  const place = relative(resolve(folder), path);
  if (place !== "" && place.split(sep)[0] !== ".." && !isAbsolute(place)) return place;
  const message = `below: ${path} is not in ${folder}. Name a folder above the source.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { path, below: folder } });
}

/** Size and time of change, when they are no longer those that were seen first. */
export function hasChanged({ path, bytes, modifiedMs }: SourceFile): boolean {
  const { size, mtimeMs } = statOf(path);
  return size !== bytes || mtimeMs !== modifiedMs;
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}

/** By the code units of names, so that the order is the same on every machine. */
function byParts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
