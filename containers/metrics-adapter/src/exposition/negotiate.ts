// Which format a scraper gets: the one of highest quality in its Accept header that we have (RFC 9110, 12.5.1).
import type { Escaping } from "./names.ts";
import { ESCAPINGS } from "./names.ts";

export type Syntax = "text" | "openmetrics" | "protobuf";
export type Format = { readonly syntax: Syntax; readonly version: string; readonly escaping: Escaping };

const DEFAULT: Format = { syntax: "text", version: "0.0.4", escaping: "underscores" };

/** Versions that we write, the one for who names none first. */
const VERSIONS: Readonly<Record<"text" | "openmetrics", readonly string[]>> = {
  text: ["0.0.4", "1.0.0"],
  openmetrics: ["1.0.0", "0.0.1"],
};
const SYNTAXES: Readonly<Record<string, Syntax>> = {
  "text/plain": "text",
  "application/openmetrics-text": "openmetrics",
  "application/vnd.google.protobuf": "protobuf",
};
const WILDCARDS = new Set(["*/*", "text/*", "application/*"]);

type Range = { readonly type: string; readonly parameters: ReadonlyMap<string, string>; readonly quality: number };

/** More than any scraper sends; the rest of a longer header is not read. */
const MAX_HEADER = 4096;

function rangesIn(accept: string): Range[] {
  return accept
    .slice(0, MAX_HEADER)
    .split(",")
    .map((item) => {
      const [type = "", ...rest] = item.split(";").map((part) => part.trim().toLowerCase());
      const parameters = new Map(
        rest.map((part): [string, string] => {
          const at = part.indexOf("=");
          return [
            part.slice(0, at).trim(),
            part
              .slice(at + 1)
              .trim()
              .replace(/^"(.*)"$/, "$1"),
          ];
        }),
      );
      const quality = parameters.has("q") ? Number(parameters.get("q")) : 1;
      return { type, parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
    });
}

function formatOf({ type, parameters }: Range): Format | undefined {
  if (WILDCARDS.has(type)) return DEFAULT;
  const syntax = SYNTAXES[type];
  if (syntax === undefined) return undefined;
  const asked = parameters.get("escaping") as Escaping | undefined;
  const escaping = asked !== undefined && ESCAPINGS.includes(asked) ? asked : "underscores";
  if (syntax === "protobuf") {
    const proto = parameters.get("proto") ?? "";
    const ours = proto === "io.prometheus.client.metricfamily" && parameters.get("encoding") === "delimited";
    return ours ? { syntax, version: "", escaping } : undefined;
  }
  const version = parameters.get("version") ?? VERSIONS[syntax][0]!;
  if (!VERSIONS[syntax].includes(version)) return undefined;
  return { syntax, version, escaping: version === "1.0.0" ? escaping : "underscores" };
}

/** The format for an Accept header; text 0.0.4 for who accepts nothing that we have, as Prometheus' own libraries do. */
export function negotiate(accept: string | undefined): Format {
  let best: { format: Format; quality: number } | undefined;
  for (const range of rangesIn(accept ?? "")) {
    const format = formatOf(range);
    if (format !== undefined && range.quality > (best?.quality ?? 0)) best = { format, quality: range.quality };
  }
  return best?.format ?? DEFAULT;
}

export function contentTypeOf({ syntax, version, escaping }: Format): string {
  const escaped = version === "1.0.0" ? `; escaping=${escaping}` : "";
  if (syntax === "text") return `text/plain; version=${version}; charset=utf-8${escaped}`;
  if (syntax === "openmetrics") return `application/openmetrics-text; version=${version}; charset=utf-8${escaped}`;
  const proto = "proto=io.prometheus.client.MetricFamily; encoding=delimited";
  return `application/vnd.google.protobuf; ${proto}; escaping=${escaping}`;
}

/** Whether an Accept-Encoding header takes gzip. */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const range = rangesIn(acceptEncoding ?? "").find(({ type }) => type === "gzip" || type === "*");
  return range !== undefined && range.quality > 0;
}
