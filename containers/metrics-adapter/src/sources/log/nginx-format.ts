// nginx's `log_format` as a regular expression: its variables are groups, what stands between them is as it stands.
import { PatternError } from "@outrigger/patterns";

/** The format that nginx has without being told. */
const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const VARIABLE = /\$(?:\{(\w+)\}|(\w+))/g;

/** What `$request` is made of, unless a client has sent something that is no request. */
const REQUEST = [
  ["request_method", "[A-Z]{1,32}", " "],
  ["request_uri", "\\S*", "(?: "],
  ["server_protocol", "HTTP/[0-9.]{1,8}", ")?"],
] as const;

/** The expression that a line has to fit as a whole. Throws a PatternError for a format that does not tell fields apart. */
export function expressionOfFormat(written: string): string {
  const format = written === "combined" ? COMBINED : written;
  const variables = [...format.matchAll(VARIABLE)];
  const names = variables.map((match) => match[1] ?? match[2]!);
  if (names.length === 0) throw new PatternError("expected a $variable", 1);
  const groups = names.map((name, at) => groupOf(name, names, names.indexOf(name) === at));
  let [expression, end] = ["", 0];
  for (const [at, { index, 0: text }] of variables.entries()) {
    if (at > 0 && index === end) throw new PatternError(`expected something between two variables`, index + 1);
    expression += escape(format.slice(end, index)) + groups[at];
    end = index + text.length;
  }
  return `^${expression}${escape(format.slice(end))}$`;
}

/** A variable is as short as what follows allows. One that comes again is not kept again. */
function groupOf(name: string, all: readonly string[], isFirst: boolean): string {
  if (!isFirst) return ".*?";
  if (name !== "request") return `(?<${name}>.*?)`;
  const parts = REQUEST.map(
    ([part, expression, after]) => (all.includes(part) ? `(?:${expression})` : `(?<${part}>${expression})`) + after,
  );
  return `(?<request>(?:${parts.join("")}|.*?))`;
}

const escape = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

/**
 * The number that a variable of nginx says: the sum where several servers were asked (`0.1, 0.2 : 0.3`). Undefined for `-`,
 * which says that there is none; NaN for what is no number.
 */
export function numberOfVariable(text: string): number | undefined {
  const parts = text.split(/\s*[,:]\s*/).filter((part) => part !== "-" && part !== "");
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, part) => sum + (/^-?\d+(\.\d+)?$/.test(part.trim()) ? Number(part) : Number.NaN), 0);
}
