/** How long the log of changes gets. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { open } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { openPlainly, openWeeks } from "./support.ts";

const MANY = `WITH RECURSIVE n (i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)
  INSERT INTO tasks (id, week_id) SELECT i, 1 FROM n`;

test("a log that grew while nobody had it open is made shorter by short openings", async () => {
  const path = temporaryPath();
  const { db } = await openWeeks({}, path);
  await db.cached("all", () => db.execute("SELECT count(*) FROM weeks"))();
  await db.close();
  const plain = openPlainly(path);
  plain.exec("PRAGMA synchronous = OFF");
  plain.exec(MANY);
  const codes: string[] = [];
  const listen = (warning: unknown): void => {
    codes.push((warning as { code: string }).code);
  };
  subscribe("springhouse:warning", listen);
  onTestFinished(() => {
    unsubscribe("springhouse:warning", listen);
  });
  const firsts: number[] = [];

  for (let times = 0; times < 2; times++) {
    const again = await open({ url: `sqlite:///${path}`, schema: "ignore" });
    const weeks = again.cached("weeks", () => again.execute("SELECT count(*) FROM weeks"));
    await weeks();
    await again.execute("UPDATE weeks SET label = label");
    await weeks();
    await again.close();
    const row = plain.prepare("SELECT min(seq) AS first FROM springhouse_log").get();
    firsts.push(Number(row?.["first"]));
  }

  expect(codes).toEqual([]);
  expect(firsts[0]).toBeGreaterThan(5_000);
  expect(firsts[1]).toBeGreaterThan(firsts[0] ?? 0);
});
