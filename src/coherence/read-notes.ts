/**
 * What a unit of work has read, noted so that its write can expect that nothing of it has changed.
 *
 * The place of the log is taken before each read, so whatever is committed after that place counts
 * as changed since, even if the read has seen it already: a write is refused once too often, and
 * never let through. Each read keeps its own place; where there are too many of them, later reads
 * are noted at an earlier place, which is as safe.
 */

import { DOUBTS, doubtfulConflict } from "../change/conflict.ts";
import { type Expectation, NO_VERSION, type Version } from "../change/expectation.ts";
import type { Atom } from "../change/footprint.ts";
import { unionOf } from "../change/union.ts";
import type { Session, Statement } from "../store/store.ts";
import type { Coherence } from "./coherence.ts";

/** Places that are told apart; each costs the writer a look at the log. */
const PLACES_MAX = 64;
/** Atoms of one place before equal ones are put together. */
const ATOMS_MAX = 1_000;

interface Place {
  readonly version: Version;
  atoms: Atom[] | "all";
}

/** The reads of one unit. */
export class ReadNotes {
  /** Reads through it are noted. */
  readonly session: Session;
  readonly #coherence: () => Coherence;
  readonly #places: Place[] = [];
  #since: Version | undefined;
  #epoch: number | undefined;

  /** @param coherence is asked for when something is read. */
  constructor(session: Session, coherence: () => Coherence) {
    this.#coherence = coherence;
    this.session = noted(session, (statement) => this.#note(statement));
  }

  /** Whether the reads have to be as they were at a place from outside. */
  get isPinned(): boolean {
    return this.#since !== undefined;
  }

  /** Expects everything, read before or after this call, to be as it was at a place. */
  expectSince(version: Version): void {
    this.#since = version;
  }

  /**
   * What a write has to expect; nothing when nothing was read.
   *
   * @throws `CONFLICT` when somebody has written meanwhile what the log does not have.
   */
  expectations(): readonly Expectation[] {
    if (this.#places.length === 0) return [];
    const { feed, refusal = "it is being made" } = this.#coherence();
    if (this.#places.some(({ version }) => version === NO_VERSION)) {
      throw doubtfulConflict(`there is no log of changes to tell it by (${refusal})`);
    }
    feed.isCurrent("strict");
    if (feed.epoch !== this.#epoch) throw doubtfulConflict(DOUBTS[feed.resetReason ?? "history"]);
    const own = this.#places.map(({ version, atoms }) => ({ version, atoms: merged(atoms) }));
    if (this.#since === undefined) return own;
    const isKnown = own.every(({ atoms }) => atoms !== "all");
    const all = isKnown ? merged(own.flatMap(({ atoms }) => atoms as readonly Atom[])) : "all";
    return [{ version: this.#since, atoms: all }, ...own];
  }

  async #note(statement: Statement): Promise<void> {
    const coherence = this.#coherence();
    const { version, epoch } = await coherence.version();
    this.#epoch ??= epoch;
    const place = this.#placeOf(version);
    const atoms = coherence.atomsOf(statement);
    if (atoms === "all" || place.atoms === "all") place.atoms = "all";
    else if (place.atoms.length < ATOMS_MAX) place.atoms.push(...atoms);
    else place.atoms = merged([...place.atoms, ...atoms]);
  }

  #placeOf(version: Version): Place {
    const { sequence, mark } = version;
    const isFull = this.#places.length >= PLACES_MAX;
    const known = this.#places.findLast(({ version: other }) => {
      if (isFull) return other.sequence <= sequence;
      return other.sequence === sequence && other.mark === mark;
    });
    if (known !== undefined) return known;
    const place: Place = { version, atoms: [] };
    this.#places.push(place);
    return place;
  }
}

function merged(atoms: readonly Atom[] | "all"): Atom[] | "all" {
  return atoms === "all" ? atoms : [...unionOf([{ atoms }]).atoms];
}

function noted(session: Session, note: (statement: Statement) => Promise<void>): Session {
  return {
    dialect: session.dialect,
    isWrite: (sql) => session.isWrite(sql),
    async read(statement, options) {
      await note(statement);
      return session.read(statement, options);
    },
    async *stream(statement, options) {
      await note(statement);
      yield* session.stream(statement, options);
    },
    write: (unit, options) => session.write(unit, options),
    writeMany: (sql, rows, options) => session.writeMany(sql, rows, options),
    transaction: (run, options) => session.transaction(run, options),
  };
}
