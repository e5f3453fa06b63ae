/** One footprint for what several queries have read. */

import { type Atom, type Footprint, isWholeTable, wholeTable } from "./footprint.ts";
import { atomText } from "./footprint-text.ts";

/**
 * Atoms that a union keeps of one table. Beyond it whatever reads so much of a table row by row
 * pays more for matching each change than it would for being read again.
 */
export const ATOMS_PER_TABLE_MAX = 256;

/**
 * All atoms of the footprints, each once, in the order in which they come, table by table. Too many
 * atoms of one table become the whole table, as does one atom that is it already.
 */
export function unionOf(footprints: Iterable<Footprint>): Footprint {
  const tables = new Map<string, Map<string, Atom>>();
  for (const { atoms } of footprints) {
    for (const atom of atoms) {
      const kept = tables.get(atom.table) ?? new Map<string, Atom>();
      tables.set(atom.table, kept);
      add(atom, kept);
    }
  }
  return { atoms: [...tables.values()].flatMap((atoms) => [...atoms.values()]) };
}

function add(atom: Atom, kept: Map<string, Atom>): void {
  const whole = wholeTable(atom.table);
  const wholeText = atomText(whole);
  if (kept.has(wholeText)) return;
  if (!isWholeTable(atom)) kept.set(atomText(atom), atom);
  if (!isWholeTable(atom) && kept.size <= ATOMS_PER_TABLE_MAX) return;
  kept.clear();
  kept.set(wholeText, whole);
}
