/** Where domain events go: to the listeners, or into the buffer of a transaction. */

/** Takes domain events; delivers them when what they tell is durable. */
export interface EventSink {
  /** Whether anybody listens; old values are only read when somebody does. */
  wants(name: string): boolean;
  raise(name: string, event: unknown): void;
}
