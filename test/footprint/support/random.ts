/** Choices that a seed repeats. */

export { Choices } from "../../../src/testing/coherence/choices.ts";
