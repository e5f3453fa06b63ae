/** The tables of the media library, declared, run on both databases and attacked. */

import { describe, expect, it } from "vitest";
import { t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import type { EntityFacts } from "../../src/schema/facts.ts";
import { checkPatch, validateInsert } from "../../src/schema/validate.ts";
import { conforms, issuesOf, sqliteWith, UUID } from "./support.ts";

const stamps = {
  createdAt: t.timestamp().defaultNow(),
  updatedAt: t.timestamp().defaultNow().onUpdateNow(),
};
const key = t.uuid().primaryKey().defaultRandom();
const mediaId = t.uuid().references("media.id", { onDelete: "cascade" });
const object = t.json<Readonly<Record<string, unknown>>>().nullable();
const attempts = t.int({ min: 0 }).default(0);

const Media = entity(
  "media",
  {
    id: key,
    title: t.text({ minLength: 1, maxLength: 500, trim: true }),
    type: t.enum(["movie", "series", "episode"]).index(),
    externalId: t.text({ maxLength: 100 }).nullable().index(),
    status: t.enum(["pending", "processing", "completed", "failed"]).default("pending").index(),
    metadata: object,
    ...stamps,
  },
  {
    uniques: [{ on: ["externalId", "type"], name: "unique_external_id" }],
    checks: [{ name: "title_not_empty", expression: "length(title) > 0" }],
  },
);
const ExternalId = entity(
  "external_ids",
  {
    mediaId,
    provider: t.text(),
    externalId: t.text(),
    type: t.enum(["movie", "series", "episode"]),
  },
  {
    primaryKey: ["mediaId", "provider", "externalId", "type"],
    indexes: [{ on: ["provider", "externalId", "type"] }],
  },
);
const Movie = entity(
  "movies",
  {
    year: t.int().nullable(),
    imdbId: t.text().nullable(),
    tmdbId: t.int().nullable(),
    runtimeMinutes: t.int({ min: 0 }).nullable(),
  },
  { base: { entity: Media, set: { type: "movie" } } },
);
const Series = entity(
  "series",
  { tvdbId: t.int().nullable(), seasons: attempts, episodes: attempts },
  { base: { entity: Media, set: { type: "series" } } },
);
const Episode = entity(
  "episodes",
  {
    seriesId: t.uuid().references("series.id", { onDelete: "cascade" }),
    seasonNumber: t.int({ min: 0 }),
    episodeNumber: t.int({ min: 0 }),
    airDate: t.date().nullable(),
  },
  {
    base: { entity: Media, set: { type: "episode" } },
    uniques: [{ on: ["seriesId", "seasonNumber", "episodeNumber"] }],
  },
);
const ProcessingJob = entity(
  "processing_jobs",
  {
    id: key,
    mediaId,
    jobType: t.enum(["search", "download", "verify"]),
    status: t.enum(["queued", "running", "completed", "failed"]).default("queued"),
    priority: t.int({ min: 0, max: 100 }).default(0),
    retryCount: attempts,
    maxRetries: t.int({ min: 0, max: 10 }).default(3),
    errorMessage: t.text().nullable(),
    startedAt: t.timestamp().nullable(),
    completedAt: t.timestamp().nullable(),
    metadata: object,
    ...stamps,
  },
  {
    indexes: [
      { on: ["status"], name: "idx_jobs_status" },
      { on: ["mediaId"], name: "idx_jobs_media_id" },
      { on: ["status", { priority: "desc" }, "createdAt"], name: "idx_jobs_priority" },
    ],
  },
);
const ProcessingHistory = entity("processing_history", {
  id: key,
  // History outlives what it is about.
  jobId: t.uuid().nullable().references("processing_jobs.id", { onDelete: "set null" }),
  mediaId: t.uuid().nullable().references("media.id", { onDelete: "set null" }),
  action: t.text(),
  status: t.text(),
  details: object,
  timestamp: t.timestamp().defaultNow(),
});
const QueueItem = entity(
  "queue_items",
  {
    id: key,
    mediaId,
    service: t.enum(["radarr", "sonarr"]),
    priority: t.int().default(0),
    addedAt: t.timestamp().defaultNow(),
    lastProcessed: t.timestamp().nullable(),
    retryCount: attempts,
    nextRetryAt: t.timestamp().nullable(),
    metadata: object,
  },
  {
    indexes: [
      { on: ["service"], name: "idx_queue_service" },
      { on: [{ priority: "desc" }], name: "idx_queue_priority" },
      { on: ["nextRetryAt"], name: "idx_queue_next_retry" },
    ],
  },
);
const Configuration = entity("configuration", {
  id: key,
  key: t.text().unique(),
  value: t.text(),
  valueType: t.enum(["string", "int", "bool", "json"]),
  description: t.text().nullable(),
  ...stamps,
});
const AuditLog = entity("audit_log", {
  id: key,
  entityType: t.text(),
  entityId: t.uuid(),
  action: t.enum(["create", "update", "delete"]),
  userId: t.text().nullable(),
  changes: object,
  timestamp: t.timestamp().defaultNow(),
});
const CacheEntry = entity("cache_entries", {
  key: t.text().primaryKey(),
  value: t.blob(),
  expiry: t.timestamp().nullable(),
  createdAt: t.timestamp().defaultNow(),
});
const MEDIA = [
  Media,
  ExternalId,
  Movie,
  Series,
  Episode,
  ProcessingJob,
  ProcessingHistory,
  QueueItem,
  Configuration,
  AuditLog,
  CacheEntry,
];

describe("the media tables", () => {
  conforms(MEDIA);

  const issues = (facts: EntityFacts, input: unknown): readonly unknown[] =>
    issuesOf(facts, input).map((issue) => issue.split(":")[0]);

  it("check a new medium as the plan says", () => {
    const media = factsOf(Media);
    const valid = { title: " Dune ", type: "movie" };

    expect(validateInsert(media, valid)).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      title: "Dune",
      status: "pending",
      externalId: null,
      metadata: null,
      createdAt: expect.any(Date),
    });
    expect(issues(media, { ...valid, title: "   " })).toEqual(["title"]);
    expect(issues(media, { ...valid, title: "x".repeat(501) })).toEqual(["title"]);
    expect(issues(media, { ...valid, title: `  ${"x".repeat(500)}  ` })).toEqual([]);
    expect(issues(media, { ...valid, type: "book" })).toEqual(["type"]);
    expect(issues(media, { ...valid, externalId: "x".repeat(101) })).toEqual(["externalId"]);
  });

  it("tell an absent field of a patch from a cleared one", () => {
    const media = factsOf(Media);

    expect(checkPatch(media, { externalId: null })).toMatchObject({
      value: { externalId: null, updatedAt: expect.any(Date) },
    });
    expect(checkPatch(media, { title: null, status: "lost" })).toMatchObject({
      issues: [{ path: ["title"] }, { path: ["status"] }],
    });
  });

  it("check a new job as the plan says", () => {
    const job = factsOf(ProcessingJob);
    const valid = { mediaId: UUID, jobType: "search" };

    expect(validateInsert(job, valid)).toMatchObject({
      status: "queued",
      priority: 0,
      retryCount: 0,
      maxRetries: 3,
    });
    expect(issues(job, { ...valid, priority: 101, maxRetries: 11 })).toEqual([
      "priority",
      "maxRetries",
    ]);
    expect(issues(job, { mediaId: "1", jobType: "index" })).toEqual(["mediaId", "jobType"]);
  });

  it("hold the same rules in the database", () => {
    using db = sqliteWith(MEDIA);
    const insert = db.prepare("INSERT INTO media (id, title, type, status) VALUES (?, ?, ?, ?)");

    expect(() => insert.run(UUID, "", "movie", "pending")).toThrow(/CHECK/);
    expect(() => insert.run(UUID, "x", "book", "pending")).toThrow(/ck_media_type/);
    expect(() => insert.run(UUID, "x", "movie", "lost")).toThrow(/ck_media_status/);
    expect(() => insert.run(UUID.replaceAll("-", ""), "x", "movie", "pending")).toThrow(/CHECK/);
    insert.run(UUID, "x", "movie", "pending");
    expect(() =>
      db.exec(
        `INSERT INTO media (id, title, type, metadata) VALUES ('${UUID}', 'x', 'movie', '{')`,
      ),
    ).toThrow(/CHECK/);
  });

  it("hold an external id once for each type, and one id of a provider for several media", () => {
    using db = sqliteWith(MEDIA);
    const other = UUID.replace("0", "1");
    const insert = db.prepare(
      "INSERT INTO media (id, title, type, external_id) VALUES (?, 'x', ?, '5')",
    );
    insert.run(UUID, "movie");

    expect(() => insert.run(other, "movie")).toThrow(/UNIQUE/);
    insert.run(other, "series");
    const external = db.prepare("INSERT INTO external_ids VALUES (?, 'tvdb', '7', 'series')");
    external.run(UUID);
    external.run(other);
    expect(db.prepare("SELECT count(*) AS n FROM external_ids").get()).toMatchObject({ n: 2 });
  });

  it("keep details with their base and delete them with it, but keep the history", () => {
    using db = sqliteWith(MEDIA);
    const [series, episode] = [UUID, UUID.replace("0", "1")];
    db.exec(
      `INSERT INTO media (id, title, type)
       VALUES ('${series}', 's', 'series'), ('${episode}', 'e', 'episode')`,
    );
    db.exec(`INSERT INTO series (id) VALUES ('${series}')`);
    db.exec(`INSERT INTO episodes VALUES ('${episode}', '${series}', 1, 1, '2025-01-01')`);
    db.exec(
      `INSERT INTO processing_history (id, media_id, action, status)
       VALUES ('${UUID}', '${series}', 'a', 's')`,
    );

    expect(() => db.exec(`INSERT INTO movies (id) VALUES ('${UUID.replace("0", "2")}')`)).toThrow(
      /FOREIGN KEY/,
    );
    expect(() =>
      db.exec(`INSERT INTO episodes VALUES ('${series}', '${series}', 1, 1, NULL)`),
    ).toThrow(/UNIQUE/);
    db.exec(`DELETE FROM media WHERE id = '${series}'`);

    expect(db.prepare("SELECT * FROM series").all()).toEqual([]);
    expect(db.prepare("SELECT * FROM episodes").all()).toEqual([]);
    expect(db.prepare("SELECT media_id FROM processing_history").all()).toMatchObject([
      { media_id: null },
    ]);
  });

  it("find the next job from the index alone, in its order", () => {
    using db = sqliteWith(MEDIA);

    const plan = db
      .prepare(
        "EXPLAIN QUERY PLAN SELECT id FROM processing_jobs WHERE status = 'queued' " +
          "ORDER BY priority DESC, created_at LIMIT 1",
      )
      .all()
      .map(({ detail }) => detail);

    expect(plan.join()).toContain("idx_jobs_priority");
    expect(plan.join()).not.toContain("TEMP B-TREE");
  });

  it("refuse a key of NULL", () => {
    using db = sqliteWith(MEDIA);

    expect(() => db.exec("INSERT INTO cache_entries (key, value) VALUES (NULL, x'00')")).toThrow(
      /NOT NULL/,
    );
  });
});
