/** `project_data.json`: scope and weekly statistics; older files have the key `scope`. */

import { storable } from "../exact-json.ts";
import { type Complain, JsonReader, type Path } from "../json-reader.ts";
import type { JsonObject, ProjectData, Scope, Statistic } from "../model.ts";
import { partSecrets } from "../secrets.ts";

/** Reads a project. Days that stand there twice, in whatever form, are one; the last one counts. */
export function readProjectData(value: unknown, madeAt: string, complain: Complain): ProjectData {
  const reader = new JsonReader(storable(partSecrets(value).rest, [], complain), [], complain);
  const scopeKey = reader.any("project_scope") == null ? "scope" : "project_scope";
  const scope = readScope(reader.object(scopeKey), complain, [scopeKey]);
  const byDay = new Map<string, Statistic>();
  for (const [index, item] of reader.list("statistics").entries()) {
    const statistic = readStatistic(item, complain, ["statistics", index]);
    byDay.set(statistic.date, statistic);
  }
  const metadata = { ...reader.object("metadata"), ...reader.extras() };
  return {
    scope,
    statistics: [...byDay.values()].sort((a, b) => (a.date < b.date ? -1 : 1)),
    metadata,
    updatedAt: new JsonReader(metadata, ["metadata"], complain).moment("last_updated", madeAt),
  };
}

function readScope(value: unknown, complain: Complain, path: Path): Scope {
  const reader = new JsonReader(value, path, complain);
  const scope = {
    totalItems: reader.number("total_items", 0),
    totalPoints: reader.number("total_points", 0),
    estimatedItems: reader.number("estimated_items", 0),
    estimatedPoints: reader.number("estimated_points", 0),
    remainingItems: reader.number("remaining_items", 0),
    remainingPoints: reader.number(["remaining_points", "remaining_total_points"], 0),
  };
  return { ...scope, extras: reader.extras() };
}

function readStatistic(value: unknown, complain: Complain, path: Path): Statistic {
  const reader = new JsonReader(value, path, complain);
  const date = reader.day("date", "");
  if (date === "") reader.problem("date", "is missing or no day");
  const completedItems = reader.number("completed_items", 0);
  const completedPoints = reader.number("completed_points", 0);
  const statistic = {
    date,
    completedItems,
    completedPoints,
    createdItems: reader.number("created_items", 0),
    createdPoints: reader.number("created_points", 0),
    velocityItems: reader.number("velocity_items", completedItems),
    velocityPoints: reader.number("velocity_points", completedPoints),
  };
  return { ...statistic, extras: reader.extras() };
}

/** A project as the file has it. */
export function writeProjectData(project: ProjectData): JsonObject {
  return {
    project_scope: writeScope(project.scope),
    statistics: project.statistics.map(writeStatistic),
    metadata: { version: "2.0", ...project.metadata, last_updated: project.updatedAt },
  };
}

function writeScope(scope: Scope): JsonObject {
  return {
    ...scope.extras,
    total_items: scope.totalItems,
    total_points: scope.totalPoints,
    estimated_items: scope.estimatedItems,
    estimated_points: scope.estimatedPoints,
    remaining_items: scope.remainingItems,
    remaining_points: scope.remainingPoints,
  };
}

function writeStatistic(statistic: Statistic): JsonObject {
  return {
    ...statistic.extras,
    date: statistic.date,
    completed_items: statistic.completedItems,
    completed_points: statistic.completedPoints,
    created_items: statistic.createdItems,
    created_points: statistic.createdPoints,
    velocity_items: statistic.velocityItems,
    velocity_points: statistic.velocityPoints,
  };
}
