/**
 * The direction of imports. A folder of `src` imports only from folders to its left in this list,
 * and folders of one group never import each other, so that each layer can be read, tested and
 * used without what stands above it.
 */

import { importsOf, type Project, sources } from "./project.ts";

/** Left to right; the folders and files of one line form a group. */
export const LAYERS: readonly (readonly string[])[] = [
  ["core"],
  ["schema"],
  ["change"],
  ["footprint", "capture"],
  ["sqlite", "resilience", "startup"],
  ["tier"],
  ["store", "cache"],
  ["coherence"],
  ["rollup", "repository", "queue", "backup"],
  ["migrate"],
  ["health", "advisor"],
  ["config"],
  ["open"],
  ["index", "kysely", "testing"],
  ["studio"],
  ["cli"],
];

/** Imports against the direction, and folders that have no place in the list. */
export function wrongDirections(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, "src")) {
    const from = layerOf(path);
    const position = positionOf(from);
    if (position < 0) {
      wrong.push(`${path}: "${from}" is in no layer. Add it to LAYERS in test/tidy/layers.ts.`);
      continue;
    }
    for (const { target, line } of importsOf(path, text)) {
      if (target === undefined) continue;
      if (!target.startsWith("src/")) {
        wrong.push(`${path}:${line}: imports ${target}. Sources import only from src/.`);
        continue;
      }
      const to = layerOf(target);
      if (to === from || (positionOf(to) >= 0 && positionOf(to) < position)) continue;
      const relation = positionOf(to) === position ? "the same group" : "a layer above";
      wrong.push(
        `${path}:${line}: ${from} imports ${to}, ${relation}. Move what both need to a layer ` +
          "below, or hand it in as a parameter from open.ts.",
      );
    }
  }
  return wrong;
}

/** Imports of an example from anything but the published package and the example itself. */
export function privateImportsOfExamples(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, "examples")) {
    for (const { target, line } of importsOf(path, text)) {
      if (target === undefined || target.startsWith("examples/")) continue;
      wrong.push(`${path}:${line}: imports ${target}. An example imports "springhouse".`);
    }
  }
  return wrong;
}

/** The folder below `src`, or the name of a file that stands in `src` itself. */
function layerOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.ts$/, "");
}

function positionOf(layer: string): number {
  return LAYERS.findIndex((group) => group.includes(layer));
}
