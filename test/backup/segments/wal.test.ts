/** The log as SQLite writes it, and what is none. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  addChecksum,
  FRAME_HEADER_BYTES,
  followFrames,
  parseWalHeader,
  startOf,
  WAL_HEADER_BYTES,
  type WalHeader,
} from "../../../src/backup/segments/wal.ts";
import { newFolder } from "../support.ts";
import { connect } from "./support.ts";

function writtenLog(pageSize = 1_024): { header: WalHeader; frames: Buffer; count: number } {
  const path = join(newFolder(), "app.db");
  const database = connect(path, pageSize);
  database.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a BLOB)");
  for (let row = 0; row < 10; row++) database.exec("INSERT INTO t VALUES (randomblob(700))");
  const count = Number(database.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.["log"]);
  const bytes = readFileSync(`${path}-wal`);
  const header = parseWalHeader(bytes);
  if (header === undefined) throw new Error("no header");
  return { header, frames: bytes.subarray(WAL_HEADER_BYTES), count };
}

it("reads every frame that SQLite has written, with pages of every size", () => {
  for (const pageSize of [512, 4_096, 65_536]) {
    const { header, frames, count } = writtenLog(pageSize);
    const read = followFrames(header, startOf(header), frames);

    expect(header.pageSize).toBe(pageSize);
    expect(read.position.frames).toBe(count);
    expect(read.frames.at(-1)?.commitPages).toBeGreaterThan(1);
  }
});

it("goes on in the middle as from the beginning", () => {
  const { header, frames } = writtenLog();
  const half = 5 * (FRAME_HEADER_BYTES + header.pageSize);

  const first = followFrames(header, startOf(header), frames.subarray(0, half));
  const second = followFrames(header, first.position, frames.subarray(half));

  expect(second.position).toEqual(followFrames(header, startOf(header), frames).position);
});

it("names the first frame in which one bit is another", () => {
  const { header, frames } = writtenLog();
  const size = FRAME_HEADER_BYTES + header.pageSize;
  for (const offset of [0, 4, 8, 16, FRAME_HEADER_BYTES, size - 1]) {
    const altered = Buffer.from(frames);
    altered[6 * size + offset] = (altered[6 * size + offset] ?? 0) ^ 4;

    expect(() => followFrames(header, startOf(header), altered)).toThrow(
      expect.objectContaining({
        code: "CORRUPT",
        fields: { frame: 7, offset: WAL_HEADER_BYTES + 6 * size },
      }),
    );
  }
});

it("takes what is no whole header for none", () => {
  const path = join(newFolder(), "app.db");
  connect(path).exec("CREATE TABLE t (a)");
  const header = readFileSync(`${path}-wal`).subarray(0, WAL_HEADER_BYTES);
  expect(parseWalHeader(header)).toBeDefined();

  expect(parseWalHeader(header.subarray(0, 31))).toBe(undefined);
  for (let at = 0; at < WAL_HEADER_BYTES; at++) {
    const altered = Buffer.from(header);
    altered[at] = (altered[at] ?? 0) ^ 1;
    expect(parseWalHeader(altered), `byte ${at}`).toBe(undefined);
  }
});

it("sums big-endian words as they are written, and unaligned bytes as aligned ones", () => {
  const bytes = Buffer.from("0102030405060708", "hex");
  expect(addChecksum([0, 0], bytes, true)).toEqual([0x01020304, 0x06080a0c]);
  expect(addChecksum([0, 0], bytes, false)).toEqual([0x04030201, 0x0c0a0806]);
  const shifted = new Uint8Array(9);
  shifted.set(bytes, 1);
  expect(addChecksum([0, 0], shifted.subarray(1), false)).toEqual([0x04030201, 0x0c0a0806]);
});
