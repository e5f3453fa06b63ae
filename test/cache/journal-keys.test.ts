import { expect, it } from "vitest";
import { open, Source } from "./journal-support.ts";

it("a journal keeps keys apart that no file could hold as they are", async () => {
  const source = new Source();
  source.error = new Error("down");
  const first = open({ source, category: { load: () => "source" } });
  const keys = [
    "\ud800",
    "\ud801",
    "\udc00x",
    "\ufffd",
    "\uffff",
    "\uffffd800",
    "a\0b",
    "a\0c",
    "a",
  ];
  await first.mine.setMany(keys.map((key) => [key, `of ${JSON.stringify(key)}`] as const));
  await first.cache.close();

  const { mine } = open({ source, path: first.path, category: { load: () => "source" } });
  for (const key of keys) expect(await mine.get(key)).toBe(`of ${JSON.stringify(key)}`);
  expect(await mine.getMany(keys)).toEqual(keys.map((key) => `of ${JSON.stringify(key)}`));
  source.error = undefined;
  await mine.flush();

  const saved = keys.map((key) => [key, `of ${JSON.stringify(key)}`] as const);
  expect(source.values).toEqual(new Map(saved));
});
