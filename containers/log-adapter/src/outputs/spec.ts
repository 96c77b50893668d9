// What --output names: where records go, and in which form.

export type OutputKind = "stdout" | "file" | "http" | "otlp" | "loki" | "elasticsearch" | "syslog" | "tcp";
export type OutputSpec = {
  readonly kind: OutputKind;
  /** As the user wrote it. */
  readonly text: string;
  readonly path: string;
  /** Of what is reached by network. */
  readonly url: URL | undefined;
};

const SCHEMES: Readonly<Record<string, OutputKind>> = {
  "http:": "http",
  "https:": "http",
  "otlp+http:": "otlp",
  "otlp+https:": "otlp",
  "loki+http:": "loki",
  "loki+https:": "loki",
  "elasticsearch+http:": "elasticsearch",
  "elasticsearch+https:": "elasticsearch",
  "syslog+tcp:": "syslog",
  "tcp:": "tcp",
};

/** Where a collector expects records, if the URL has no path. */
const PATHS: Readonly<Partial<Record<OutputKind, string>>> = {
  otlp: "/v1/logs",
  loki: "/loki/api/v1/push",
  elasticsearch: "/logs-log_adapter-default/_bulk",
};

export const OUTPUT_FORMS =
  "stdout, file:/path, http(s)://, otlp+http(s)://, loki+http(s)://, elasticsearch+http(s)://, syslog+tcp:// or tcp:// with host and port";

/** Undefined for what is none of OUTPUT_FORMS; names and passwords do not belong into URLs. */
export function parseOutput(text: string): OutputSpec | undefined {
  if (text === "stdout") return { kind: "stdout", text, path: "", url: undefined };
  if (text.startsWith("file:")) return fileOf(text);
  const scheme = /^[a-z+]{1,30}:/.exec(text)?.[0] ?? "";
  const kind = SCHEMES[scheme];
  const url = kind === undefined ? undefined : urlOf(text, scheme);
  if (kind === undefined || url === undefined || (isRaw(kind) && url.port === "")) return undefined;
  if (url.pathname === "/") url.pathname = PATHS[kind] ?? "/";
  return { kind, text, path: "", url };
}

function fileOf(text: string): OutputSpec | undefined {
  const path = text.slice("file:".length);
  const isFile = path.startsWith("/") && !path.endsWith("/") && !path.includes("\0");
  return isFile ? { kind: "file", text, path, url: undefined } : undefined;
}

const isRaw = (kind: OutputKind): boolean => kind === "syslog" || kind === "tcp";

/** What a URL is made of is known for the schemes of the web only. */
function urlOf(text: string, scheme: string): URL | undefined {
  const plain = `${scheme.endsWith("https:") ? "https:" : "http:"}${text.slice(scheme.length)}`;
  if (!URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  return url.username === "" && url.password === "" ? url : undefined;
}
