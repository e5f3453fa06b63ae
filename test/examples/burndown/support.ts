/** Folders and things for tests of the burndown example. */

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type {
  CachedResponse,
  Changelog,
  Profile,
  ProjectData,
  Query,
} from "../../../examples/burndown/model.ts";

/** A moment for everything that a test does not care about. */
export const NOW = "2025-12-23T10:00:00.000Z";

/** A folder that is removed when the test leaves. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "burndown-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes files of the old application; what is no text is written as JSON. */
export function writeFiles(root: string, files: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    const isRaw = typeof value === "string" || value instanceof Uint8Array;
    writeFileSync(path, isRaw ? value : JSON.stringify(value, null, 2));
    utimesSync(path, new Date(NOW), new Date(NOW));
  }
}

export function profile(id: string, more: Partial<Profile> = {}): Profile {
  return {
    id,
    name: `Profile ${id}`,
    description: "",
    createdAt: NOW,
    lastUsed: NOW,
    jiraConfig: { base_url: "https://jira.example.com", points_field: "customfield_10002" },
    fieldMappings: { flow: { status: "status" } },
    forecastSettings: { pert_factor: 1.2, deadline: null, data_points_count: 12 },
    projectClassification: {},
    flowTypeMappings: { Feature: ["Story"] },
    showMilestone: false,
    showPoints: true,
    extras: { theme: "dark" },
    ...more,
  };
}

export function query(profileId: string, id: string, more: Partial<Query> = {}): Query {
  return {
    profileId,
    id,
    name: `Query ${id}`,
    jql: "project = ALOY",
    description: "all of it",
    createdAt: NOW,
    lastUsed: NOW,
    extras: {},
    ...more,
  };
}

export function response(cacheKey: string, more: Partial<CachedResponse> = {}): CachedResponse {
  const fields = { summary: "broken", status: { name: "Open", statusCategory: { key: "new" } } };
  return {
    cacheKey,
    response: {
      timestamp: NOW,
      jql_query: "project = ALOY",
      issues: [
        { id: "1", key: "ALOY-1", fields: { ...fields, customfield_10002: 3 } },
        { id: "2", key: "ALOY-2", fields },
      ],
    },
    createdAt: NOW,
    expiresAt: "2025-12-24T10:00:00.000Z",
    ...more,
  };
}

export function changelog(issueKey: string, more: Partial<Changelog> = {}): Changelog {
  return {
    issueKey,
    fields: { created: NOW },
    entries: [
      {
        changeDate: NOW,
        field: "status",
        oldValue: "Open",
        newValue: "Closed",
        history: { id: "10", author: { name: "a" } },
        item: { from: "1", to: "6" },
      },
      {
        changeDate: NOW,
        field: "resolution",
        oldValue: null,
        newValue: "Fixed",
        history: { id: "10", author: { name: "a" } },
        item: {},
      },
    ],
    createdAt: NOW,
    expiresAt: "2025-12-24T10:00:00.000Z",
    ...more,
  };
}

export function project(more: Partial<ProjectData> = {}): ProjectData {
  const week = { createdItems: 2, createdPoints: 5, velocityItems: 3, velocityPoints: 8 };
  return {
    scope: {
      totalItems: 20,
      totalPoints: 60.5,
      estimatedItems: 10,
      estimatedPoints: 30,
      remainingItems: 12,
      remainingPoints: 36.5,
      extras: { unknown: 1 },
    },
    statistics: [
      { date: "2025-12-08", completedItems: 3, completedPoints: 8, ...week, extras: {} },
      { date: "2025-12-15", completedItems: 4, completedPoints: 9, ...week, extras: { note: "x" } },
    ],
    metadata: { source: "jira", version: "2.0", last_updated: NOW },
    updatedAt: NOW,
    ...more,
  };
}
