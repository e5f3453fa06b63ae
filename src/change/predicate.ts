/**
 * A condition on the columns of one row, as far as it can be judged without asking the database.
 * What cannot be judged is `opaque`, and counts as met. The logic has SQL's three values.
 */

import type { StoredValue } from "./value.ts";

export type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=" | "is" | "is not";

export type Predicate =
  | { readonly kind: "always" }
  /** Anything: a function, a subquery, an operator with rules of its own. */
  | { readonly kind: "opaque" }
  /** `column operator value`. The value has the column's affinity already. */
  | {
      readonly kind: "compare";
      readonly column: string;
      readonly operator: Comparison;
      readonly value: StoredValue;
    }
  | { readonly kind: "in"; readonly column: string; readonly values: readonly StoredValue[] }
  | { readonly kind: "and" | "or"; readonly parts: readonly Predicate[] }
  | { readonly kind: "not"; readonly part: Predicate };
