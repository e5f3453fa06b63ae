/**
 * The check of one input against a plan: what is right is kept, what is wrong is told, and a
 * `refine` that answers later is waited for at the end.
 */

import type { Issue } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import { isPlainObject } from "../core/plain-object.ts";
import type { StandardIssue, StandardResult, StandardSchemaV1 } from "./standard-schema.ts";
import type { Checked, Field, Plan, ValidationContext } from "./validate-plan.ts";

/** Either the values or all issues. */
export type CheckedResult =
  | { readonly value: Checked; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** The check of one input. */
export class Run {
  readonly #plan: Plan;
  readonly #value: Record<string, unknown> = {};
  readonly #issues: Issue[] = [];
  readonly #pending: Promise<void>[] = [];
  #property = "";

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get changesSomething(): boolean {
    return this.#pending.length > 0 || Object.keys(this.#value).length > 0;
  }

  /** Whether `input` is a plain object at all; names the fields that do not exist. */
  open(input: unknown): input is Checked {
    if (!isPlainObject(input)) {
      this.#issues.push(noRow(input));
      return false;
    }
    const { position } = this.#plan;
    for (const key of Object.keys(input)) {
      if (!position.has(key)) this.#refuseUnknown(key);
    }
    return true;
  }

  insertField(field: Field, input: Checked, context: ValidationContext): void {
    const given = own(input, field.property);
    if (field.fixed !== undefined) this.#fixedField(field, given, field.fixed.value);
    else if (given !== undefined) this.#field(field, given);
    else if (field.fallback !== undefined) this.#value[field.property] = field.fallback(context);
    else if (!field.isNumbered) this.#refuse(field.property, "is required");
  }

  patchField(field: Field, input: Checked): void {
    const given = own(input, field.property);
    if (given === undefined) return;
    if (field.fixed !== undefined) {
      const isSame = given === field.fixed.value;
      if (!isSame) this.#refuse(field.property, `is always ${JSON.stringify(field.fixed.value)}`);
    } else if (field.isKey) {
      this.#refuse(field.property, "is part of the key, which a patch cannot change");
    } else {
      this.#field(field, given);
    }
  }

  /** Sets a column with `onUpdateNow` that the patch does not give. */
  touchField({ property, touch }: Field, context: ValidationContext): void {
    if (touch === undefined || Object.hasOwn(this.#value, property)) return;
    this.#value[property] = touch(context);
  }

  end(): CheckedResult | Promise<CheckedResult> {
    return this.#pending.length === 0 ? this.#result() : this.#settle();
  }

  async #settle(): Promise<CheckedResult> {
    await Promise.all(this.#pending);
    const { position } = this.#plan;
    const rank = ({ path }: Issue): number => position.get(String(path[0])) ?? -1;
    this.#issues.sort((a, b) => rank(a) - rank(b));
    return this.#result();
  }

  #result(): CheckedResult {
    return this.#issues.length === 0 ? { value: this.#value } : { issues: this.#issues };
  }

  #field(field: Field, given: unknown): void {
    const { property } = field;
    if (given === null) {
      if (field.nullable) this.#value[property] = null;
      else this.#refuse(property, "must not be null");
      return;
    }
    const before = this.#issues.length;
    this.#property = property;
    const value = field.check(given, this.#report);
    if (this.#issues.length > before) return;
    this.#value[property] = value;
    if (field.refine !== undefined) this.#refineField(field, field.refine, value);
  }

  readonly #report = (message: string, path: readonly (string | number)[] = []): void => {
    this.#issues.push({ path: [this.#property, ...path], message });
  };

  #refineField(field: Field, refine: StandardSchemaV1<unknown, unknown>, value: unknown): void {
    const result = refine["~standard"].validate(value);
    if (!(result instanceof Promise)) this.#refined(field, value, result);
    else this.#pending.push(result.then((settled) => this.#refined(field, value, settled)));
  }

  #refined(field: Field, checked: unknown, result: StandardResult<unknown>): void {
    const { property } = field;
    if (result.issues !== undefined) {
      for (const issue of result.issues) {
        this.#issues.push({ path: [property, ...pathOf(issue)], message: issue.message });
      }
      return;
    }
    this.#property = property;
    // What a schema makes of the value has to be storable as well.
    const value = result.value === checked ? checked : field.check(result.value, this.#report);
    this.#value[property] = value;
  }

  #fixedField({ property }: Field, given: unknown, value: unknown): void {
    if (given === undefined || given === value) this.#value[property] = value;
    else this.#refuse(property, `is always ${JSON.stringify(value)} here; leave it out`);
  }

  #refuseUnknown(key: string): void {
    const known = [...this.#plan.position.keys()];
    const near = nearest(key, known);
    const hint =
      near === undefined ? `the fields are ${known.join(", ")}` : `did you mean "${near}"?`;
    this.#refuse(key, `is not a field of "${this.#plan.facts.table}" (${hint})`);
  }

  #refuse(property: string, message: string): void {
    this.#issues.push({ path: [property], message });
  }
}

/** What is wrong with an input that is no plain object: it would be taken for an empty row. */
export function noRow(input: unknown): Issue {
  const isClassy = typeof input === "object" && input !== null && !Array.isArray(input);
  if (!isClassy) return { path: [], message: "must be an object with the fields of the entity" };
  const hint = input instanceof Promise ? "await it" : "give { ...fields }";
  const name = input.constructor?.name || "class without a name";
  return { path: [], message: `must be a plain object, not a ${name}; ${hint}` };
}

/** A field of the input; what `Object.prototype` has does not count. */
function own(input: Checked, property: string): unknown {
  return Object.hasOwn(input, property) ? input[property] : undefined;
}

function pathOf({ path = [] }: StandardIssue): readonly (string | number)[] {
  return path.map((part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "symbol" ? String(key) : key;
  });
}
