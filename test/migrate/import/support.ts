/** Entities and folders for tests of imports. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  type ImportItem,
  type ImportOptions,
  type ImportReport,
  importFiles,
} from "springhouse/import";
import { t } from "../../../src/schema/column.ts";
import { entity } from "../../../src/schema/entity.ts";

export const Issue = entity("issues", {
  key: t.text().primaryKey(),
  points: t.int({ min: 0 }).nullable(),
  done: t.boolean().default(false),
  title: t.text().default("").unique(),
});
export const Change = entity("changes", {
  id: t.int().primaryKey(),
  issueKey: t.text().references("issues.key", { onDelete: "cascade" }),
  status: t.text(),
});
export const TABLES = { issues: Issue, changes: Change };

/** An issue as it stands in a file. */
export interface IssueDocument {
  readonly key: string;
  readonly points?: number | null;
  readonly done?: boolean;
  readonly changes?: readonly string[];
}

/** So many issues, each with one change. */
export function issues(count: number): IssueDocument[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `A-${index + 1}`,
    points: index % 13,
    changes: [`status ${index % 3}`],
  }));
}

/** The rows of an issue. */
export function rowsOf({ value }: ImportItem) {
  const { key, points, done, changes = [] } = value as IssueDocument;
  return {
    issues: { key, title: `Issue ${key}`, ...(points !== undefined && { points }), done },
    changes: changes.map((status) => ({ issueKey: key, status })),
  } as never;
}

type Options = Partial<ImportOptions<typeof TABLES>> &
  Pick<ImportOptions<typeof TABLES>, "sources">;

/** A folder in which one target is imported into. */
export class ImportFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ImportFolder> {
    return new ImportFolder(await mkdtemp(join(tmpdir(), "springhouse-import-")));
  }

  get target(): string {
    return join(this.path, "made.db");
  }

  /** Writes a file of the folder; its path. */
  async file(name: string, content: string | Uint8Array | object): Promise<string> {
    const path = join(this.path, name);
    const isRaw = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(path, isRaw ? content : JSON.stringify(content));
    return path;
  }

  /** Imports issues. */
  import(options: Options): Promise<ImportReport> {
    return importFiles({
      target: this.target,
      backupDirectory: false,
      tables: TABLES,
      map: rowsOf,
      ...options,
    });
  }

  /** Rows of the target, as another program reads them. */
  rows(sql: string): unknown[] {
    using database = new DatabaseSync(this.target);
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
