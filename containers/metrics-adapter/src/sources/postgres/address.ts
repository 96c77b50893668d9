// Where a PostgreSQL is: the URL of a connection, as libpq has it.
import type { Address } from "@outrigger/options";

export const POSTGRES_FORM =
  "postgresql://user@host:port/database, with sslmode=disable|require|verify-full, and host=/folder for a Unix socket";

export type Target = {
  readonly address: Address;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  /** `disable`, `require` (TLS with whomever) or `verify-full`; without it, as the settings say. */
  readonly sslmode: string | undefined;
};

const DEFAULT_PORT = 5432;

/** Reads the URL. Undefined for what is none, or has parameters that mean nothing here. */
export function parsePostgresUrl(text: string): Target | undefined {
  // Without a host there is no URL for the parser.
  const whole = text.replace(/^postgres(ql)?:\/\/(?=\/)/, "postgresql://localhost");
  if (!/^postgres(ql)?:\/\//.test(whole) || !URL.canParse(whole)) return undefined;
  const { hostname, port, username, password, pathname, searchParams } = new URL(whole);
  const [sslmode, folder] = [parameter(searchParams, "sslmode"), parameter(searchParams, "host")];
  if (![...searchParams.keys()].every((name) => name === "sslmode" || name === "host")) return undefined;
  if (!/^(disable|require|verify-full)?$/.test(sslmode ?? "") || !/^(\/.*)?$/.test(folder ?? "")) return undefined;
  const number = port === "" ? DEFAULT_PORT : Number(port);
  const host = decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  const user = decoded(username);
  return {
    address: folder === undefined ? { host, port: number } : { path: `${folder}/.s.PGSQL.${number}` },
    user,
    password: decoded(password),
    database: decoded(pathname.slice(1)) ?? user ?? "postgres",
    sslmode,
  };
}

const parameter = (all: URLSearchParams, name: string): string | undefined => all.get(name) ?? undefined;
const decoded = (text: string): string | undefined => (text === "" ? undefined : decodeURIComponent(text));
