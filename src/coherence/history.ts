/**
 * What was changed after places of the log that the feed does not know: those of results that were
 * kept by an earlier process, or by another one.
 *
 * Most of them are of a few places, since results are stored in batches. So what came after a place
 * is read once, and from then on the feed's own changes are all that is added.
 */

import type { Position } from "../change/position.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { LogSource } from "./log-source.ts";
import type { LoggedChange } from "./ring.ts";

/** A place of the log and the schema there. */
export interface Place {
  readonly position: Position;
  readonly schemaVersion: number;
}

/** Places that are remembered; each of them may have some thousands of changes. */
const PLACES_MAX = 8;

interface Known {
  readonly epoch: number;
  /** Where the changes end. */
  readonly upTo: number;
  readonly changes: readonly LoggedChange[];
}

/** See above. */
export class History {
  readonly #log: LogSource;
  readonly #feed: ChangeFeed;
  readonly #known = new Map<string, Known>();

  constructor(log: LogSource, feed: ChangeFeed) {
    this.#log = log;
    this.#feed = feed;
  }

  /**
   * All changes after the place, at least up to where the feed is, in one or two steps. Only for
   * whoever has the feed caught up in the same turn.
   *
   * @returns undefined when the log does not know the place, or the schema was another one.
   */
  since({ position, schemaVersion }: Place): readonly (readonly LoggedChange[])[] | undefined {
    if (this.#feed.schemaVersion !== schemaVersion) return undefined;
    const key = `${position.sequence} ${position.mark}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.epoch === this.#feed.epoch) {
      const later = this.#feed.since(known.upTo);
      if (later !== undefined) return [known.changes, later];
    }
    const look = this.#log.look(position, schemaVersion);
    if (!look.reachesBack || look.position === undefined) return undefined;
    const { changes } = look;
    this.#remember(key, { epoch: this.#feed.epoch, upTo: look.position.sequence, changes });
    return [changes];
  }

  #remember(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size <= PLACES_MAX) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }
}
