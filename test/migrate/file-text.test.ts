import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeText } from "../../src/migrate/file-text.ts";
import { FILES, Scene } from "./support.ts";

const decoding = (bytes: Buffer) => (): string => decodeText(bytes, "0001_x.sql");

test.each<[string, Buffer, string]>([
  [
    "Latin-1",
    Buffer.from("-- up\nSELECT 'Gr\u00fcn'", "latin1"),
    ":2: byte 16 of the file, 0xFC, is",
  ],
  [
    "a letter cut in two",
    Buffer.from([0x2d, 0x2d, 0xe2, 0x82]),
    ":1: byte 2 of the file, 0xE2, is",
  ],
  [
    "UTF-16 of Windows",
    Buffer.from("\uFEFFSELECT 1", "utf16le"),
    ": it is written in UTF-16; save",
  ],
  [
    "UTF-16 of others",
    Buffer.from("\uFEFFSELECT", "utf16le").swap16(),
    ": it is written in UTF-16",
  ],
  ["UTF-16 without a mark", Buffer.from("SELECT 1", "utf16le"), ":1: byte 1 of the file is NUL"],
])("%s is refused, and the place is named", (_, bytes, message) => {
  expect(decoding(bytes)).toThrow(`0001_x.sql${message}`);
  expect(decoding(bytes)).toThrow(expect.objectContaining({ code: "MIGRATION_INVALID" }));
});

test("every letter of UTF-8 is taken, the mark for a wrong one too", () => {
  const text = "\uFEFFSELECT 'Gr\u00fcn \u{1F33F} \uFFFD'";

  expect(decodeText(Buffer.from(text), "0001_x.sql")).toBe(text);
});

test.each(["0004_late.sql", "0004_late.js"])(
  "nothing is applied while %s is not text",
  async (name) => {
    await using scene = await Scene.create(FILES);
    const text = name.endsWith("sql") ? "SELECT '\u00fc'" : "export const up = \"SELECT '\u00fc'\"";
    await writeFile(join(scene.migrations, name), Buffer.from(text, "latin1"));

    await expect((await scene.migrator()).up()).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
    });

    expect(await scene.objects()).toEqual([]);
  },
);
