// Short texts such as `exec:nginx -t` taken apart: each parser gives a value, or what was expected instead.

export type Parsed<T> = { readonly value: T; readonly problem?: undefined } | { readonly problem: string };

export const value = <T>(value: T): Parsed<T> => ({ value });
export const problem = (expected: string, got: string): { readonly problem: string } => ({
  problem: `expected ${expected}, got ${got === "" ? "nothing" : got}`,
});

/** `scheme:rest`. */
export function splitScheme(text: string): [scheme: string, rest: string] {
  const at = text.indexOf(":");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** The words of a command, which no shell sees: separated by spaces, `"..."` and `'...'` keep them together. */
export function parseCommand(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/y;
  const trimmed = text.trimEnd();
  while (pattern.lastIndex < trimmed.length) {
    const match = pattern.exec(trimmed);
    if (match === null) return problem("a command whose quotation marks are pairs", text);
    words.push(match[1] ?? match[2] ?? match[3]!);
  }
  return words.length === 0 || words[0] === "" ? problem("a command", text) : value(words);
}

/** A URL of one of these protocols, without credentials: those belong into files. */
export function parseUrl(text: string, protocols: readonly string[] = ["http:", "https:"]): Parsed<URL> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol) || url.hostname === "")
    return problem(`a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`, text);
  if (url.username !== "" || url.password !== "")
    return problem("a URL without credentials in it", `one for ${url.host}`);
  return value(url);
}

/** A pattern of paths: `*` and `?` within a name, `**` across folders. One without a slash is about the last name. */
export function createPattern(pattern: string): (path: string) => boolean {
  const source = pattern.replaceAll(/\*\*\/?|[*?]|[^*?]+/g, (part) => {
    if (part.startsWith("**")) return part === "**/" ? "(?:.*/)?" : ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  });
  const expression = new RegExp(`^${pattern.includes("/") ? "" : "(?:.*/)?"}${source}$`, "s");
  return (path) => expression.test(path);
}
