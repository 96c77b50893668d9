// What the container answers: the request, as it understood it. Values in, values out; no socket, no clock.

/** A request, as far as the answer tells of it. */
export type Asked = {
  readonly method: string;
  /** The request target: a path, perhaps with a query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
};

/** Fields whose values are nobody else's business, not even in an answer to the one who sent them: answers are logged. */
const SECRET_FIELDS = new Set(["authorization", "cookie", "proxy-authorization"]);

/** The answer: one JSON object with method, path, query, headers and body. A parameter given twice is a list. */
export function echoOf({ method, target, headers, body }: Asked): string {
  const [path = "", search = ""] = splitOnce(target, "?");
  const shown = Object.entries(headers).map(([name, value]) => [name, SECRET_FIELDS.has(name) ? "[redacted]" : value]);
  const echo = {
    method,
    path,
    query: queryOf(new URLSearchParams(search)),
    headers: Object.fromEntries(shown),
    body: body.toString(),
  };
  return `${JSON.stringify(echo)}\n`;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

const queryOf = (parameters: URLSearchParams): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? values[0]! : values];
    }),
  );
