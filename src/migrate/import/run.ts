/**
 * One import from its beginning to its end:
 *
 * 1. hash the files: the identity of the import follows from them and from the mapping,
 * 2. open the staging file, or find that all this was done before,
 * 3. copy the originals,
 * 4. read, map and write item by item, from where the last run ended,
 * 5. compare what is stored with what was given,
 * 6. land: the only step that changes the target, and it does so whole or not at all.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { throwIfAborted } from "../../core/abort.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../../core/errors.ts";
import { redactText } from "../../core/redact.ts";
import { isSliceOver, nextSlice } from "../../core/slices.ts";
import { Batches } from "./batches.ts";
import type { EncodedRows, Encoder } from "./encode.ts";
import { fileError, formatOf, isTooDeep, type RawItem, readItems, TOO_DEEP } from "./items.ts";
import type {
  ImportedTable,
  ImportItem,
  ImportProgress,
  ImportReport,
  ResolvedSettings,
} from "./options.ts";
import { LIST } from "./originals.ts";
import type {
  CopiedFile,
  LandedTable,
  Landing,
  LoadPlan,
  LoadState,
  RefusedRow,
  TableSum,
} from "./plan.ts";
import { RefusedRows } from "./refused.ts";
import { sumText } from "./row-hash.ts";
import { hasChanged, type ImportFormat, type SourceFile } from "./source.ts";
import type { ImportThread } from "./thread.ts";

/** Rows by table, as a mapping gives them. */
export type GivenRows = Readonly<Record<string, unknown>>;

/** What makes rows of items. */
export interface RunMapping {
  readonly encoder: Encoder;
  readonly map: (item: ImportItem) => GivenRows | undefined | Promise<GivenRows | undefined>;
  readonly finish: (() => GivenRows) | undefined;
  /** SQL that makes the schema of a new file. */
  readonly statements: readonly string[];
  /** Changes when the mapping does. */
  readonly text: string;
}

/** A file with how it is cut. */
export interface ReadableFile extends SourceFile {
  readonly cut: ImportFormat;
}

const WHAT = "The import";
/** After these the staging file stays, and the next import of the same goes on from there. */
const RESUMABLE = ["ABORTED", "BUSY", "DISK_FULL", "IO", "READ_ONLY", "WORKER_DIED"];

/** How every file is cut. */
export async function cutFiles(files: readonly SourceFile[]): Promise<readonly ReadableFile[]> {
  const readable: ReadableFile[] = [];
  for (const file of files) readable.push({ ...file, cut: await formatOf(file) });
  return readable;
}

/** One import. */
export class ImportRun {
  readonly #settings: ResolvedSettings;
  readonly #mapping: RunMapping;
  readonly #files: readonly ReadableFile[];
  readonly #thread: ImportThread;
  readonly #refused = new RefusedRows();
  #batches: Batches;
  readonly #bytesTotal: number;
  #bytesDone = 0;
  #phase: ImportProgress["phase"] = "copy";
  #before: Pick<LoadState, "items" | "rejected"> = { items: 0, rejected: 0 };

  constructor(
    settings: ResolvedSettings,
    mapping: RunMapping,
    files: readonly ReadableFile[],
    thread: ImportThread,
  ) {
    this.#settings = settings;
    this.#mapping = mapping;
    this.#files = files;
    this.#thread = thread;
    this.#batches = this.#newBatches();
    this.#bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Runs it; the staging file stays when a later run can go on from there. */
  async run(): Promise<ImportReport> {
    const startMs = this.#settings.clock.monotonicMs();
    const hashes = await this.#hashes();
    throwIfAborted(this.#settings.signal, WHAT);
    const plan = this.#plan(hashes);
    const { again } = this.#settings;
    const opened = await this.#thread.request<
      { readonly state: LoadState } | { readonly done: string }
    >({ kind: "open", plan, again });
    if ("done" in opened) {
      return { ...(JSON.parse(opened.done) as ImportReport), status: "unchanged" };
    }
    try {
      return await this.#continue(plan, opened.state, hashes, startMs);
    } catch (error) {
      const isResumable = RESUMABLE.some((code) => isSpringhouseError(error, code as "BUSY"));
      if (!isResumable) await this.#thread.request({ kind: "discard" });
      throw error;
    }
  }

  async #continue(
    plan: LoadPlan,
    state: LoadState,
    hashes: readonly string[],
    startMs: number,
  ): Promise<ImportReport> {
    const backup = state.backup ?? (await this.#copy(hashes));
    for (let from = state; ; from = await this.#restart()) {
      await this.#read(from);
      this.#tell("verify");
      const sums = await this.#thread.request<LoadState>({ kind: "loaded" });
      const orphans = await this.#thread.request<readonly RefusedRow[]>({ kind: "verify" });
      throwIfAborted(this.#settings.signal, WHAT);
      this.#tell("land");
      const report = (tables: readonly ImportedTable[]): ImportReport => ({
        status: this.#settings.dryRun ? "rehearsed" : "imported",
        target: plan.target,
        isNew: plan.isNew,
        resumedItems: from.items,
        items: sums.items,
        rejected: sums.rejected,
        rejects: sums.rejects,
        rejectsFile: sums.rejected > 0 ? plan.rejectsFile : undefined,
        tables,
        backup,
        files: this.#files.length,
        bytes: this.#bytesTotal,
        ms: this.#settings.clock.monotonicMs() - startMs,
      });
      const landing =
        orphans.length > 0 ? { refused: orphans } : await this.#land(plan, sums, report);
      if (landing.refused === undefined) return report(tablesOf(plan, sums, landing.landed));
      this.#refused.add(landing.refused);
    }
  }

  /** Everything is read once more, without the items whose rows were refused. */
  async #restart(): Promise<LoadState> {
    const state = await this.#thread.request<LoadState>({ kind: "restart" });
    this.#batches = this.#newBatches();
    this.#bytesDone = 0;
    return state;
  }

  #newBatches(): Batches {
    return new Batches((batch) => this.#thread.request({ kind: "load", batch }));
  }

  async #land(
    plan: LoadPlan,
    sums: LoadState,
    report: (tables: readonly ImportedTable[]) => ImportReport,
  ): Promise<Landing> {
    if (this.#settings.dryRun) {
      const landing = await this.#thread.request<Landing>({ kind: "rehearse" });
      if (landing.refused === undefined) await this.#thread.request({ kind: "discard" });
      return landing;
    }
    // The ledger says what was imported; how much of it was new is known only afterwards.
    const expected = sums.sums.map(({ rows }) => ({ inserted: rows, updated: 0 }));
    const nowMs = this.#settings.clock.nowMs();
    const text = JSON.stringify(report(tablesOf(plan, sums, expected)));
    return await this.#thread.request<Landing>({ kind: "land", report: text, nowMs });
  }

  /** By file; one that several sources name is read once. */
  async #hashes(): Promise<readonly string[]> {
    const paths = [...new Set(this.#files.map(({ path }) => path))];
    const hashes = await this.#thread.request<string[]>({ kind: "hash", paths });
    const byPath = new Map(paths.map((path, index) => [path, hashes[index] ?? ""]));
    return this.#files.map(({ path }) => byPath.get(path) ?? "");
  }

  #plan(hashes: readonly string[]): LoadPlan {
    const { target, busyTimeoutMs, rejectsFile, rejectsMax, dryRun } = this.#settings;
    const { encoder, statements, text } = this.#mapping;
    const { shapes } = encoder;
    const files = this.#files.map(({ relative, name, cut, at, omit }, index) => [
      ...[relative, name, cut, at, omit],
      hashes[index],
    ]);
    const isNew = !existsSync(target);
    const tables = shapes.map(({ table, columns }) => [table, columns]);
    const identity = hashOf([files, tables, text]);
    return {
      target,
      staging: dryRun ? `${target}.rehearsal` : `${target}.importing`,
      isNew,
      busyTimeoutMs,
      identity,
      stagingIdentity: hashOf([identity, isNew, shapes, statements]),
      statements,
      shapes,
      rejectsFile,
      rejectsMax,
    };
  }

  async #copy(hashes: readonly string[]): Promise<string | undefined> {
    const { backupDirectory, dryRun, clock } = this.#settings;
    if (backupDirectory === undefined || dryRun) return undefined;
    this.#tell("copy");
    const names = new Set<string>([LIST]);
    const files = new Map<string, CopiedFile>();
    for (const [index, { path, copy, cut }] of this.#files.entries()) {
      if (files.has(path)) continue;
      const name = names.has(copy) ? join(String(index + 1), copy) : copy;
      names.add(name);
      files.set(path, { path, name, hash: hashes[index] ?? "", cut });
    }
    const folder = await this.#thread.request<string>({
      kind: "copy",
      directory: backupDirectory,
      files: [...files.values()],
      nowMs: clock.nowMs(),
    });
    throwIfAborted(this.#settings.signal, WHAT);
    return folder;
  }

  async #read(state: LoadState): Promise<void> {
    this.#before = state;
    if (state.isLoaded) return;
    for (const [index, file] of this.#files.entries()) {
      if (index < state.source) this.#bytesDone += file.bytes;
      else await this.#readFile(file, index, index === state.source ? state.sourceItems : 0);
    }
    if (state.source < this.#files.length && this.#mapping.finish !== undefined) {
      this.#batches.begin(this.#files.length, "finish", 0);
      const encoded: EncodedRows = { shapes: [], rows: [] };
      await this.#mapping.encoder.encode(this.#mapping.finish(), encoded);
      this.#batches.addLast(encoded);
    }
    await this.#batches.flush();
  }

  async #readFile(file: ReadableFile, index: number, done: number): Promise<void> {
    let skipped = 0;
    this.#batches.begin(index, file.relative, done);
    const onBytes = (bytes: number): void => {
      this.#bytesDone += bytes;
    };
    for await (const items of readItems(file, file.cut, onBytes)) {
      for (const item of items) {
        if (isSliceOver()) await nextSlice(this.#settings.signal, WHAT);
        if (skipped < done) skipped++;
        else {
          const pending = this.#take(file, item());
          if (pending !== undefined) await pending;
          if (this.#batches.isFull) await this.#batches.send();
        }
      }
      this.#tell("read");
    }
    if (hasChanged(file)) throw fileError(file.path, 1, "the file was changed while it was read");
    await this.#batches.send();
  }

  /** Maps an item; a promise only when the mapping or a check gives one. */
  #take(file: ReadableFile, raw: RawItem): void | Promise<void> {
    if (raw.problem !== undefined) return this.#reject(file, raw, raw.problem);
    return this.#encode(file, raw);
  }

  #encode(file: ReadableFile, raw: RawItem): void | Promise<void> {
    const encoded: EncodedRows = { shapes: [], rows: [] };
    const keep = (): void => {
      const reason = this.#refused.reasonOf(encoded);
      if (reason === undefined) this.#batches.add(raw.line, encoded);
      else this.#reject(file, raw, reason);
    };
    const add = (rows: GivenRows | undefined): void | Promise<void> => {
      const pending = rows && this.#mapping.encoder.encode(rows, encoded);
      return pending === undefined ? keep() : pending.then(keep);
    };
    const fail = (error: unknown): void => this.#reject(file, raw, reasonOf(error));
    try {
      const rows = this.#mapping.map(itemOf(file, raw));
      const pending = rows instanceof Promise ? rows.then(add) : add(rows);
      return pending?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  #reject({ relative: file }: ReadableFile, { line, key }: RawItem, reason: string): void {
    const named = typeof key === "string" ? `${key}: ${reason}` : reason;
    this.#batches.reject({ file, line, reason: redactText(named) });
  }

  #tell(phase: ImportProgress["phase"]): void {
    this.#phase = phase;
    this.#settings.onProgress({
      phase: this.#phase,
      bytesDone: Math.min(this.#bytesDone, this.#bytesTotal),
      bytesTotal: this.#bytesTotal,
      items: this.#before.items + this.#batches.items,
      rejected: this.#before.rejected + this.#batches.rejected,
    });
  }
}

function hashOf(facts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

function itemOf(file: SourceFile, { value, line, key }: RawItem): ImportItem {
  return { value, source: file.name, file: file.relative, line, key, reject };
}

function reject(reason: string): never {
  throw new SpringhouseError("VALIDATION", reason);
}

/** A mistake in the mapping is told like one in the data: which one it is, its author knows. */
function reasonOf(error: unknown): string {
  if (isSpringhouseError(error, "VALIDATION")) return error.message;
  if (isSpringhouseError(error)) throw error;
  if (isTooDeep(error)) return TOO_DEEP;
  return `the mapping has failed: ${messageOf(error)}`;
}

function tablesOf(
  { shapes }: LoadPlan,
  { sums }: LoadState,
  landed: readonly LandedTable[],
): readonly ImportedTable[] {
  return shapes.flatMap(({ table }, index) => tableReport(table, sums[index], landed[index]));
}

function tableReport(
  table: string,
  sum: TableSum | undefined,
  landed: LandedTable | undefined,
): readonly ImportedTable[] {
  if (sum === undefined || landed === undefined) return [];
  const { rows } = sum;
  if (rows === 0) return [];
  const { inserted, updated } = landed;
  const unchanged = rows - inserted - updated;
  return [{ table, rows, inserted, updated, unchanged, hash: sumText(sum) }];
}
