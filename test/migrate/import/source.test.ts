import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sourceFiles } from "../../../src/migrate/import/source.ts";

/** A folder with one file, `a/b/data.json`, that is removed when the test leaves. */
function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "import-source-"));
  mkdirSync(join(path, "a/b"), { recursive: true });
  writeFileSync(join(path, "a/b/data.json"), "[]");
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe("the place of a source", () => {
  it("is its name alone when nothing else is said", () => {
    using root = folder();

    const [file] = sourceFiles([{ path: join(root.path, "a/b/data.json") }]);

    expect([file?.relative, file?.copy]).toEqual(["data.json", "data.json"]);
  });

  it("is where it is below a folder, so that files of one name can be told apart", () => {
    using root = folder();
    const path = join(root.path, "a/b/data.json");

    const [file] = sourceFiles([{ path, below: root.path }]);

    expect([file?.relative, file?.copy]).toEqual(["a/b/data.json", join("a", "b", "data.json")]);
  });

  it("cannot be outside of that folder, where its copy would go as well", () => {
    using root = folder();
    const path = join(root.path, "a/b/data.json");

    for (const below of [join(root.path, "a/c"), path, join(root.path, "a/b/da")]) {
      expect(() => sourceFiles([{ path, below }])).toThrow(/is not in .* Name a folder above/);
    }
  });
});

describe("a folder with too many files", () => {
  it("is an error that names it and the limit, never a part of them", () => {
    using root = folder();
    writeFileSync(join(root.path, "b.json"), "[]");
    writeFileSync(join(root.path, "notes.txt"), "is not counted");

    const take = (filesMax: number) => sourceFiles([{ path: root.path }], () => false, filesMax);

    expect(take(2)).toHaveLength(2);
    expect(() => take(1)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`${root.path} has more than 1 files`),
        fields: { path: root.path, filesMax: 1 },
      }),
    );
  });
});

describe("links in a folder", () => {
  it("are followed to files and folders, inside and outside, and each file is read once", () => {
    using root = folder();
    using other = folder();
    writeFileSync(join(other.path, "real.json"), "[]");
    writeFileSync(join(other.path, "notes.txt"), "no data");
    symlinkSync(join(other.path, "real.json"), join(root.path, "linked.json"));
    symlinkSync(join(other.path, "notes.txt"), join(root.path, "linked.txt"));
    symlinkSync(join(other.path, "a"), join(root.path, "folder"));
    symlinkSync(root.path, join(root.path, "a/circle"));
    symlinkSync("data.json", join(root.path, "a/b/same.json"));

    const files = sourceFiles([{ path: root.path }]);

    expect(files.map(({ relative }) => relative)).toEqual([
      "a/b/data.json",
      "folder/b/data.json",
      "linked.json",
    ]);
  });

  it("that lead nowhere are refused by name", () => {
    using root = folder();
    symlinkSync("gone.json", join(root.path, "a/lost.json"));

    expect(() => sourceFiles([{ path: root.path }])).toThrow(/lost\.json/);
  });

  it("do not bring in what is somebody else's", () => {
    using root = folder();
    symlinkSync("a", join(root.path, "z"));
    const isExcluded = (path: string) => path === join(root.path, "a");

    expect(() => sourceFiles([{ path: root.path }], isExcluded)).toThrow(/nothing to import/);
  });
});
