import * as valibot from "valibot";
import { describe, expect, it } from "vitest";
import * as zod from "zod";
import { t } from "../../src/schema/column.ts";
import {
  checkInsert,
  checkPatch,
  validateInsert,
  validateInserts,
} from "../../src/schema/validate.ts";
import { context, factsWith, issuesOf, NOW } from "./support.ts";

describe("a refinement", () => {
  const emails = [
    ["Zod", zod.email("must be an address")],
    ["Valibot", valibot.pipe(valibot.string(), valibot.email("must be an address"))],
  ] as const;

  it.each(emails)("by %s is run after the built-in checks", (_, schema) => {
    const facts = factsWith({ email: t.text({ maxLength: 9 }).refine(schema) });

    expect(validateInsert(facts, { email: "a@b.cd" }, context)).toEqual({ email: "a@b.cd" });
    expect(issuesOf(facts, { email: "nobody" })).toEqual(["email: must be an address"]);
    expect(issuesOf(facts, { email: "nobody at all" })).toEqual([
      "email: must be at most 9 characters long, has 13",
    ]);
  });

  it("replaces the value by its output", () => {
    const facts = factsWith({
      name: t.text().refine(zod.string().trim().toLowerCase()),
      tag: t.text().refine(valibot.pipe(valibot.string(), valibot.toUpperCase())),
    });

    expect(validateInsert(facts, { name: "  ADA ", tag: "x" }, context)).toEqual({
      name: "ada",
      tag: "X",
    });
  });

  it("whose output cannot be stored is refused", () => {
    const schema = zod.string().transform((text) => `${text}\0`);

    expect(issuesOf(factsWith({ name: t.text().refine(schema) }), { name: "a" })).toEqual([
      "name: must not contain the character NUL",
    ]);
  });

  it("of JSON says where inside the value it is wrong", () => {
    const schema = zod.object({ tags: zod.array(zod.object({ name: zod.string("text!") })) });
    const facts = factsWith({ value: t.json().refine(schema) });

    expect(issuesOf(facts, { value: { tags: [{ name: "a" }, { name: 5 }] } })).toEqual([
      "value.tags.1.name: text!",
    ]);
  });

  it("understands the paths of Valibot, which are objects", () => {
    const schema = valibot.object({ tags: valibot.array(valibot.string("text!")) });
    const facts = factsWith({ value: t.json().refine(schema) });

    expect(issuesOf(facts, { value: { tags: ["a", 5] } })).toEqual(["value.tags.1: text!"]);
  });

  it("is not run for NULL", () => {
    const facts = factsWith({ email: t.text().nullable().refine(zod.email()) });

    expect(validateInsert(facts, { email: null }, context)).toEqual({ email: null });
  });
});

describe("a refinement that answers later", () => {
  const free = valibot.pipeAsync(
    valibot.string(),
    valibot.checkAsync(async (name) => Promise.resolve(name !== "taken"), "is taken"),
  );
  const facts = factsWith({ name: t.text().refine(free), count: t.int() });

  it("makes the check a promise", async () => {
    const result = validateInsert(facts, { name: "free", count: 1 }, context);

    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ name: "free", count: 1 });
  });

  it("leaves its issues in the order of the fields", async () => {
    const result = await checkInsert(facts, { name: "taken", count: "x", nope: 1 }, context);

    expect(result.issues?.map(({ path }) => path[0])).toEqual(["nope", "name", "count"]);
  });

  it("rejects with VALIDATION", async () => {
    const result = validateInsert(facts, { name: "taken", count: 1 }, context);

    await expect(result).rejects.toMatchObject({
      code: "VALIDATION",
      issues: [{ path: ["name"], message: "is taken" }],
    });
  });

  it("holds for patches", async () => {
    const updated = factsWith({
      name: t.text().refine(free),
      at: t.timestamp().defaultNow().onUpdateNow(),
    });

    expect(await checkPatch(updated, { name: "free" }, context)).toEqual({
      value: { name: "free", at: new Date(NOW) },
    });
  });

  it("whose own failure reaches the caller", async () => {
    const broken = valibot.pipeAsync(
      valibot.string(),
      valibot.checkAsync(() => Promise.reject(new Error("offline"))),
    );

    const result = validateInsert(factsWith({ name: t.text().refine(broken) }), { name: "a" });

    await expect(result).rejects.toThrow("offline");
  });

  it("is run for all rows of a batch, a bounded number at once", async () => {
    let running = 0;
    let most = 0;
    const slow = valibot.pipeAsync(
      valibot.string(),
      valibot.checkAsync(async (name) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return name !== "taken";
      }, "is taken"),
    );
    const batch = factsWith({ name: t.text().refine(slow) });
    const names = Array.from({ length: 350 }, (_, at) => (at % 100 === 7 ? "taken" : "free"));

    const result = validateInserts(
      batch,
      names.map((name) => ({ name })),
      context,
    );

    await expect(result).rejects.toMatchObject({
      issues: [7, 107, 207, 307].map((row) => ({ path: [row, "name"], message: "is taken" })),
    });
    expect(most).toBe(100);
  });
});
