import { expect, it } from "vitest";
import { readPages } from "../../../src/backup/segments/base.ts";
import { lockPage } from "../../../src/backup/segments/pages.ts";

it("the page at 1 GB is where SQLite keeps its locks, with pages of every size", () => {
  expect(lockPage(4_096)).toBe(262_145);
  expect(lockPage(8_192)).toBe(131_073);
  expect(lockPage(16_384)).toBe(65_537);
  expect(lockPage(32_768)).toBe(32_769);
  expect(lockPage(65_536)).toBe(16_385);
});

it("a base leaves out that page, and no other", async () => {
  const file = {
    read: async (bytes: Uint8Array, _offset: number, length: number, position: number) => {
      new DataView(bytes.buffer, bytes.byteOffset).setFloat64(0, position);
      return { bytesRead: length, buffer: bytes };
    },
  };

  const frames = await readPages(file as never, 4_096, 262_143, 5);

  expect(frames.map(({ page }) => page)).toEqual([262_143, 262_144, 262_146, 262_147]);
  expect(frames.every(({ data }) => data.length === 4_096)).toBe(true);
});
