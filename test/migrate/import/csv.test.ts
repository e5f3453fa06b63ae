import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CsvRecord, csvLine, readCsv } from "../../../src/migrate/import/csv.ts";
import { readText } from "../../../src/migrate/import/text.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "springhouse-csv-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(...chunks: string[]): Promise<CsvRecord[]> {
  return Array.fromAsync(readCsv(chunks));
}

const AWKWARD =
  '\uFEFFa,b,c\r\n1,"two, ""2""",3\n"line\r\nbreak",,"" \n\n,,\r\n"last","no line break",é';

describe("reading CSV", () => {
  it("knows quotes, doubled quotes, line breaks inside quotes, CRLF and the byte order mark", async () => {
    expect(await read('\uFEFFa,b\r\n"x, ""y""","1\r\n2"\nlast,""')).toEqual([
      { line: 1, fields: ["a", "b"] },
      { line: 2, fields: ['x, "y"', "1\r\n2"] },
      { line: 4, fields: ["last", ""] },
    ]);
  });

  it("reads the same however the text is cut into chunks", async () => {
    const whole = await read(AWKWARD);

    for (let at = 0; at <= AWKWARD.length; at++) {
      expect(await read(AWKWARD.slice(0, at), AWKWARD.slice(at))).toEqual(whole);
    }
    expect(await read(...AWKWARD)).toEqual(whole);
    expect(whole).toHaveLength(5);
  });

  it("leaves blank lines out and counts them", async () => {
    expect(await read("a\n\n\r\nb\n")).toEqual([
      { line: 1, fields: ["a"] },
      { line: 4, fields: ["b"] },
    ]);
  });

  it("gives nothing for an empty text", async () => {
    expect(await read("")).toEqual([]);
    expect(await read("\uFEFF")).toEqual([]);
  });

  it("notes a quote at the wrong place and goes on with the next record", async () => {
    const records = await read('a,b"c,d\n"x"y,z\nnext,row\n');

    expect(records.map(({ line, problem }) => [line, problem])).toEqual([
      [1, "has a quote in an unquoted field"],
      [2, "has text behind a closing quote"],
      [3, undefined],
    ]);
  });

  it("refuses a file whose quote is never closed, naming the line", async () => {
    await expect(read('a,b\n1,2\n3,"4\n5,6\n')).rejects.toMatchObject({
      code: "VALIDATION",
      fields: { line: 3 },
    });
  });

  it("refuses a record that grows without end", async () => {
    const chunks = [
      'a,"',
      ..."x"
        .repeat(20)
        .split("")
        .map((x) => x.repeat(100_000)),
    ];

    await expect(read(...chunks)).rejects.toThrow(/A closing quote is probably missing/);
  });

  it("reads back what was written", async () => {
    const rows = [
      ["plain", "", "with, comma", 'with "quotes"', "two\nlines", " spaces ", "\r", "é 한"],
      ["", "1", "", "", "", "", "", ""],
    ];

    const records = await read(rows.map(csvLine).join(""));

    expect(records.map(({ fields }) => fields)).toEqual(rows);
  });
});

describe("reading a text file", () => {
  async function textOf(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return (await Array.fromAsync(readText(path))).join("");
  }

  it("unpacks by the ending of its name", async () => {
    const bytes = Buffer.from("Größe,한\n".repeat(50_000));

    expect(await textOf("a.csv", bytes)).toBe(bytes.toString());
    expect(await textOf("a.csv.gz", gzipSync(bytes))).toBe(bytes.toString());
    expect(await textOf("a.csv.zst", zstdCompressSync(bytes))).toBe(bytes.toString());
  });

  it("refuses bytes that are not UTF-8", async () => {
    await expect(textOf("latin1.csv", Buffer.from("Größe", "latin1"))).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining("is not UTF-8 text"),
    });
  });

  it("refuses a compressed file that is cut off or is none", async () => {
    const packed = gzipSync(Buffer.from("text ".repeat(10_000)));

    for (const bytes of [packed.subarray(0, packed.length - 20), Buffer.from("not packed")]) {
      await expect(textOf("cut.csv.gz", bytes)).rejects.toMatchObject({ code: "VALIDATION" });
      await expect(textOf("cut.csv.zst", bytes)).rejects.toMatchObject({ code: "VALIDATION" });
    }
  });

  it("says when there is no such file", async () => {
    await expect(Array.fromAsync(readText(join(folder, "none.csv")))).rejects.toThrow(/ENOENT/);
    await expect(Array.fromAsync(readText(join(folder, "none.gz")))).rejects.toThrow(/ENOENT/);
  });
});
