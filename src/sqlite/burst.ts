/**
 * Bursts: requests that follow each other so closely that waking up for each would cost about as
 * much as answering it.
 *
 * Both sides stay awake for a moment then, as an adaptive mutex spins before it sleeps. A caller
 * that writes one row after the other so waits for the disk and hardly for us; a thread that is
 * asked now and then never turns in vain, and neither does one on a machine with a single core,
 * where the other side could not run meanwhile.
 */

import { availableParallelism } from "node:os";

/** A request that comes within this time of a reply belongs to a burst. */
export const BURST_GAP_MS = 0.2;
/** The next request of a burst is awaited awake for so long: about what waking up would cost. */
export const LOOK_OUT_MS = 0.1;
/** A reply is awaited awake for so long; a disk that takes longer makes waking up a small part. */
export const REPLY_LOOK_OUT_MS = 0.3;

/** Whether staying awake takes the core from nobody who is waited for. */
export const canStayAwake: boolean = availableParallelism() > 1;
