import { describe, expect, it } from "vitest";
import { Rejections } from "../../../src/tier/memory/rejections.ts";
import { WindowShare } from "../../../src/tier/memory/window-share.ts";
import { hashOf } from "./policy-owner.ts";

const ENTRIES = 100;

describe("the share of the window", () => {
  it("begins at one percent", () => {
    expect(new WindowShare().value).toBe(0.01);
  });

  it("grows by an entry with each hit it would have had, and leaves main something", () => {
    const share = new WindowShare();

    share.windowGained(ENTRIES);
    const one = share.value;
    for (let hit = 0; hit < 1_000; hit++) share.windowGained(ENTRIES);

    expect(one).toBeCloseTo(0.02);
    expect(share.value).toBe(31 / 32);
  });

  it("shrinks with what main would lose, to nothing", () => {
    const share = new WindowShare();
    for (let hit = 0; hit < 10; hit++) share.windowGained(ENTRIES);

    share.mainLost(2, ENTRIES);
    const once = share.value;
    for (let hit = 0; hit < 100; hit++) share.mainLost(1, ENTRIES);

    expect(once).toBeCloseTo(0.095);
    expect(share.value).toBe(0);
  });

  it("is not below what LRU's lead asks for, and returns when the lead is gone", () => {
    const share = new WindowShare();

    for (let hit = 0; hit < 20; hit++) share.duel(1, ENTRIES);
    const behind = share.value;
    for (let hit = 0; hit < 50; hit++) share.duel(-1, ENTRIES);

    expect(behind).toBeCloseTo(0.4);
    expect(share.value).toBe(0.01);
  });
});

describe("rejections", () => {
  it("are known for as many departures as are asked for", () => {
    const rejections = new Rejections();
    rejections.reserve(512);

    rejections.depart();
    rejections.remember(hashOf(1));
    for (let departure = 0; departure < 10; departure++) rejections.depart();

    expect(rejections.has(hashOf(1), 10)).toBe(true);
    expect(rejections.has(hashOf(1), 9)).toBe(false);
    expect(rejections.has(hashOf(2), 10)).toBe(false);
  });

  it("keep most of the last eighth of the cache's entries, in four bytes for an entry", () => {
    const rejections = new Rejections();
    const entries = 4_096;
    rejections.reserve(entries);
    for (let key = 0; key < entries * 10; key++) {
      rejections.depart();
      rejections.remember(hashOf(key));
    }

    const last = Array.from({ length: entries / 8 }, (_, index) => entries * 10 - 1 - index);
    const known = last.filter((key) => rejections.has(hashOf(key), entries / 8));

    expect(known.length / last.length).toBeGreaterThan(0.8);
    expect(rejections.sizeBytes).toBe(entries * 4);
  });
});
