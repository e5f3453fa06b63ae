/** A transaction that one call opens and another ends, made of one that takes a callback. */

import type { Session, StoreTransaction } from "./store.ts";

/** An open transaction, or a savepoint when it has a name. Ended by exactly one of its methods. */
export interface Frame {
  readonly name: string | undefined;
  readonly session: StoreTransaction;
  /** Resolves when the transaction is durable, rejects when it was lost. */
  commit(): Promise<void>;
  /** Resolves when nothing of the transaction is left, also when the store ended it before. */
  rollback(): Promise<void>;
}

/**
 * Opens a transaction inside `parent` and keeps it open until the frame is ended. Kysely calls its
 * callback in the course of the function that opened the transaction, so that function enters it.
 */
export async function openFrame(parent: Session, name: string | undefined): Promise<Frame> {
  const opened = Promise.withResolvers<StoreTransaction>();
  const outcome = Promise.withResolvers<void>();
  const ended = parent.transaction(
    async (transaction) => {
      opened.resolve(transaction);
      await outcome.promise;
    },
    { entersCaller: name === undefined },
  );
  ended.catch(opened.reject);
  const session = await opened.promise;
  return {
    name,
    session,
    commit() {
      outcome.resolve();
      return ended;
    },
    async rollback() {
      outcome.reject(new Error("Rolled back."));
      await ended.catch(() => undefined);
    },
  };
}
