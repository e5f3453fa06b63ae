/**
 * The triggers of the audit log on PostgreSQL: one function for each audited table. There is no
 * REPLACE here. The acting user is the setting `springhouse.user_id` of the transaction, because a
 * row that all sessions share would make them wait for each other.
 */

import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import { derivedName } from "../schema/names.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { literal, quoteIdentifier } from "../schema/quote.ts";
import { LOGGED_BYTES_MAX } from "./audit-sqlite.ts";

/** A function takes at most 100 arguments, and each column needs two. */
const COLUMNS_PER_OBJECT = 50;

/** All functions and triggers: those that protect the log, and those of each audited table. */
export function postgresAudit(audited: readonly EntityFacts[]): readonly PhysicalObject[] {
  return [...protection(), ...audited.flatMap(tableTrigger)];
}

function protection(): readonly PhysicalObject[] {
  const name = "springhouse_audit_log_protect";
  return [
    {
      kind: "function",
      name,
      sql:
        `CREATE FUNCTION ${quoteIdentifier(name)}() RETURNS trigger LANGUAGE plpgsql AS $body$\n` +
        "BEGIN RAISE EXCEPTION 'audit_log is append-only'; END\n$body$",
    },
    {
      kind: "trigger",
      name,
      table: "audit_log",
      sql:
        `CREATE TRIGGER ${quoteIdentifier(name)} BEFORE UPDATE OR DELETE OR TRUNCATE ` +
        `ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION ${quoteIdentifier(name)}()`,
    },
  ];
}

function tableTrigger(facts: EntityFacts): readonly PhysicalObject[] {
  const { table } = facts;
  const name = derivedName("springhouse_audit", table, []);
  return [
    { kind: "function", name, sql: auditFunction(facts, name) },
    {
      kind: "trigger",
      name,
      table,
      sql:
        `CREATE TRIGGER ${quoteIdentifier(name)} AFTER INSERT OR UPDATE OR DELETE ` +
        `ON ${quoteIdentifier(table)} FOR EACH ROW EXECUTE FUNCTION ${quoteIdentifier(name)}()`,
    },
  ];
}

function auditFunction(facts: EntityFacts, name: string): string {
  return `CREATE FUNCTION ${quoteIdentifier(name)}() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
  before jsonb;
  after jsonb;
  differences jsonb;
  subject text;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    after := ${image(facts, "NEW")};
    subject := ${idOf(facts, "NEW")};
  END IF;
  IF TG_OP <> 'INSERT' THEN
    before := ${image(facts, "OLD")};
    subject := ${idOf(facts, "OLD")};
  END IF;
  SELECT jsonb_object_agg(name, CASE TG_OP
      WHEN 'INSERT' THEN jsonb_build_object('new', after -> name)
      WHEN 'DELETE' THEN jsonb_build_object('old', before -> name)
      ELSE jsonb_build_object('old', before -> name, 'new', after -> name)
    END)
    INTO differences
    FROM jsonb_object_keys(coalesce(after, before)) AS name
    WHERE after -> name IS DISTINCT FROM before -> name;
  IF differences IS NOT NULL THEN
    INSERT INTO "audit_log" ("entity_type", "entity_id", "action", "user_id", "changes")
    VALUES (
      ${literal(facts.table, "postgres")},
      subject,
      CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
      nullif(current_setting('springhouse.user_id', true), ''),
      differences
    );
  END IF;
  RETURN NULL;
END
$body$`;
}

function idOf({ primaryKey }: EntityFacts, row: string): string {
  const columns = primaryKey.map(({ name }) => `${row}.${quoteIdentifier(name)}`);
  if (columns.length === 1) return `${columns.join()}::text`;
  return `jsonb_build_array(${columns.join(", ")})::text`;
}

function image({ columns }: EntityFacts, row: string): string {
  const parts: string[] = [];
  for (let at = 0; at < columns.length; at += COLUMNS_PER_OBJECT) {
    const members = columns
      .slice(at, at + COLUMNS_PER_OBJECT)
      .map((column) => `${literal(column.name, "postgres")}, ${jsonOf(column, row)}`);
    parts.push(`jsonb_build_object(${members.join(", ")})`);
  }
  return parts.join(" || ");
}

function jsonOf({ name, kind }: ColumnFacts, row: string): string {
  const value = `${row}.${quoteIdentifier(name)}`;
  switch (kind) {
    case "bigint":
      return `${value}::text`;
    case "timestamp":
      return `(extract(epoch from ${value}) * 1000)::bigint`;
    case "blob":
      return (
        `CASE WHEN octet_length(${value}) <= ${LOGGED_BYTES_MAX} ` +
        `THEN jsonb_build_object('hex', encode(${value}, 'hex')) ` +
        `WHEN ${value} IS NOT NULL THEN jsonb_build_object('bytes', octet_length(${value})) END`
      );
    default:
      return value;
  }
}
