/**
 * The rooms of one memory tier, and the limits of all of them together.
 *
 * A category with a limit or a policy of its own has a room, the others share one. While there are
 * too many entries in all of them, one goes from the room that has most entries, by the policy of
 * that room; while there are too many bytes, from the one that has most bytes. So small rooms keep
 * what they have, and large ones that are all in want of more come to be of one size. The entry
 * that has just come stays: its room is passed over while it has nothing else.
 */

/** Limits of a room, or of all rooms of a tier. */
export interface RoomLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Larger entries are refused; at most `maxBytes`. */
  readonly maxEntryBytes: number;
}

/** A room as the tier sees it. */
export interface BoundedRoom {
  readonly entries: number;
  /** The bytes that its limit is about. */
  readonly boundBytes: number;
  /** Has an entry go, for one that comes to another room. */
  giveWay(): void;
}

/** All rooms of a tier. */
export class Rooms {
  readonly limits: RoomLimits;
  readonly #rooms: BoundedRoom[] = [];
  #entries = 0;
  #bytes = 0;

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  join(room: BoundedRoom): void {
    this.#rooms.push(room);
  }

  /** Notes that a room has so many entries and bytes more, or fewer. */
  count(entries: number, bytes: number): void {
    this.#entries += entries;
    this.#bytes += bytes;
  }

  /** Whether others have to go when an entry of this size comes in. */
  isFull(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.limits;
    return this.#entries >= maxEntries || this.#bytes + bytes > maxBytes;
  }

  /** Has entries go until the limits hold. @param last the room of the one that has just come. */
  shrink(last: BoundedRoom): void {
    const { maxEntries, maxBytes } = this.limits;
    while (this.#entries > maxEntries) {
      const largest = this.#largest("entries", last);
      if (largest === undefined) return;
      largest.giveWay();
    }
    while (this.#bytes > maxBytes) {
      const largest = this.#largest("boundBytes", last);
      if (largest === undefined) return;
      largest.giveWay();
    }
  }

  #largest(by: "entries" | "boundBytes", last: BoundedRoom): BoundedRoom | undefined {
    let largest: BoundedRoom | undefined;
    for (const room of this.#rooms) {
      if (room.entries <= (room === last ? 1 : 0)) continue;
      if (largest === undefined || room[by] > largest[by]) largest = room;
    }
    return largest;
  }
}
