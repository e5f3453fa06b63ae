/**
 * A result as persistent tiers keep it: with what it has read, where in the log, and by whose code.
 * What comes from a tier may be anything; what is not of this form is damaged.
 */

import type { Footprint } from "../change/footprint.ts";
import { footprintText, parseFootprint } from "../change/footprint-text.ts";
import type { Position } from "../change/position.ts";
import type { Place } from "./history.ts";
import type { Uses, Version } from "./tracking.ts";

/** Raised when an entry means something else than before: the rules of footprints, for instance. */
const FORM = 1;

/** See above. */
export interface StoredResult {
  readonly value: unknown;
  readonly footprint: Footprint;
  readonly place: Place;
  /** The hash of the schema's text: copies count its versions anew. */
  readonly schema: string;
  readonly uses: Uses;
}

interface StoredData extends Position {
  readonly form: number;
  readonly value: unknown;
  readonly footprint: string;
  readonly schemaVersion: number;
  readonly schema: string;
  readonly uses: readonly (readonly [string, Version])[];
}

/** What is to be found in a tier, if nobody has damaged it. */
type Given = { readonly [Name in keyof StoredData]?: unknown };

/** As a value for tiers. */
export function storedData(result: StoredResult): StoredData {
  const { value, footprint, place, schema, uses } = result;
  const { position, schemaVersion } = place;
  return {
    form: FORM,
    value,
    footprint: footprintText(footprint),
    ...position,
    schemaVersion,
    schema,
    uses: [...uses].map(([name, version]) => [name, version]),
  };
}

/** What a tier has given; undefined when it is damaged, or of another form. */
export function parseStored(data: unknown): StoredResult | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { form, value, sequence, mark, schema, schemaVersion, ...rest } = data as Given;
  if (form !== FORM || !("value" in data) || typeof mark !== "string" || mark === "") {
    return undefined;
  }
  if (!isCount(sequence) || !isCount(schemaVersion) || typeof schema !== "string") return undefined;
  const footprint = typeof rest.footprint === "string" ? parseFootprint(rest.footprint) : undefined;
  const uses = parseUses(rest.uses);
  if (footprint === undefined || uses === undefined) return undefined;
  const place = { position: { sequence, mark }, schemaVersion };
  return { value, footprint, place, schema, uses };
}

function parseUses(data: unknown): Uses | undefined {
  if (!Array.isArray(data)) return undefined;
  const uses = new Map<string, Version>();
  for (const each of data as readonly unknown[]) {
    const [name, version] = Array.isArray(each) ? (each as readonly unknown[]) : [];
    if (typeof name !== "string" || !isVersion(version)) return undefined;
    uses.set(name, version);
  }
  return uses;
}

function isVersion(given: unknown): given is string | number {
  return typeof given === "string" || typeof given === "number";
}

function isCount(given: unknown): given is number {
  return Number.isSafeInteger(given) && (given as number) >= 0;
}
