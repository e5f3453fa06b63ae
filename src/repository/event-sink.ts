/** Where domain events go: to the listeners, or into the buffer of a transaction. */

/** An event with its name. */
export interface NamedEvent {
  readonly name: string;
  readonly event: unknown;
}

/** Takes domain events, in order; delivers them when what they tell is durable. */
export interface EventSink {
  /** Whether anybody listens; old values are only read when somebody does. */
  wants(name: string): boolean;
  raise(name: string, event: unknown): void;
  /**
   * Takes many, however they are made, and resolves when it has all of them. They are asked for in
   * slices, so what they are made of must not change meanwhile.
   */
  raiseAll(events: Iterable<NamedEvent>): Promise<void>;
}
