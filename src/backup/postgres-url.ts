/**
 * A connection string of PostgreSQL, as environment of its programs. Everybody on a machine can
 * read command lines, and only the owner of a process its environment; so nothing of the string is
 * ever an argument.
 */

import { SpringhouseError } from "../core/errors.ts";
import { redactUrl } from "../core/redact.ts";

/** Parameters of the URL that the programs take by environment. */
const VARIABLE_OF: Readonly<Record<string, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  passfile: "PGPASSFILE",
  dbname: "PGDATABASE",
  service: "PGSERVICE",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  options: "PGOPTIONS",
  sslmode: "PGSSLMODE",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslrootcert: "PGSSLROOTCERT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
};

/**
 * The environment in which `pg_dump` and its like reach a database.
 *
 * @param url `postgres://user:password@host:port/database?sslmode=require`; what it leaves out
 *   comes from the environment and `~/.pgpass`, as PostgreSQL has it.
 * @throws `INVALID_URL`, never with the password in the message.
 */
export function postgresEnvironment(
  url: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw wrongUrl(url, "It has to be postgres://user@host:port/database.");
  }
  const given: Record<string, string> = {};
  const set = (variable: string, value: string): void => {
    if (value !== "") given[variable] = value;
  };
  set("PGHOST", decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, ""));
  set("PGPORT", parsed.port);
  set("PGUSER", decodeURIComponent(parsed.username));
  set("PGPASSWORD", decodeURIComponent(parsed.password));
  set("PGDATABASE", decodeURIComponent(parsed.pathname.slice(1)));
  for (const [name, value] of parsed.searchParams) {
    const variable = VARIABLE_OF[name];
    if (variable === undefined) {
      throw wrongUrl(url, `The parameter "${name}" is none that pg_dump knows by environment.`);
    }
    set(variable, value);
  }
  const inherited = Object.entries(env).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined;
  });
  return { ...Object.fromEntries(inherited), ...given };
}

function wrongUrl(url: string, advice: string): SpringhouseError {
  const message = `${redactUrl(url)} is no database of PostgreSQL. ${advice}`;
  return new SpringhouseError("INVALID_URL", message);
}
