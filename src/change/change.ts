/**
 * What a commit changed. A row change has the images of the row before and after: none before for
 * an insert, none after for a delete. Without images, anything in the table may have changed.
 */

import { type ImageValue, UNKNOWN } from "./value.ts";

/** A row, one value for each column of `columns`. */
export interface Image {
  /** In lower case, in the order of the values. Shared by all images of one table. */
  readonly columns: readonly string[];
  readonly values: readonly ImageValue[];
}

/** The value of a column; `UNKNOWN` too when the image does not have the column. */
export function valueIn(image: Image, column: string): ImageValue {
  const value = image.values[image.columns.indexOf(column)];
  return value === undefined ? UNKNOWN : value;
}

/** One row that was inserted, updated or deleted; at least one image is there. */
export interface RowChange {
  readonly kind: "row";
  /** In lower case. */
  readonly table: string;
  readonly before: Image | undefined;
  readonly after: Image | undefined;
}

/** A table of which anything may have changed. */
export interface TableChange {
  readonly kind: "table";
  readonly table: string;
}

export type Change = RowChange | TableChange;
