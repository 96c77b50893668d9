// Paths into JSON as Kubernetes' JSONPath has them (kubernetes.io/docs/reference/kubectl/jsonpath), which is what json_exporter
// takes: text with expressions in braces, such as `{.items[?(@.state == "ACTIVE")].count}` or `planet-{.name}`.

/** A place that an expression has found, and the nearest object or array that holds it. */
export type Found = { readonly value: unknown; readonly parent: unknown; readonly key: string | undefined };

/** One step gives of each place the places that follow. */
type Step = (found: Found, root: unknown) => Found[];

export type Path = {
  /** All places that the first expression finds. Nothing is found where a key is missing. */
  find(root: unknown): Found[];
  /** The text with the values of all expressions in it; undefined where one finds nothing. */
  render(root: unknown): string | undefined;
};

/** Says what is wrong with a path. */
export class PathError extends Error {}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The members of an object or an array, with their keys. */
export function membersOf(value: unknown): Found[] {
  if (Array.isArray(value)) return value.map((each: unknown, at) => ({ value: each, parent: value, key: String(at) }));
  if (!isObject(value)) return [];
  return Object.entries(value).map(([key, each]) => ({ value: each, parent: value, key }));
}

const field =
  (name: string): Step =>
  ({ value }) =>
    isObject(value) && Object.hasOwn(value, name) ? [{ value: value[name], parent: value, key: name }] : [];

const wildcard: Step = ({ value }) => membersOf(value);

/** How deep documents may nest for `..`: JSON.parse itself has no bound. */
const MAX_DEPTH = 100;

function descend(found: Found, depth = 0): Found[] {
  if (depth >= MAX_DEPTH) return [];
  return [found, ...membersOf(found.value).flatMap((member) => descend(member, depth + 1))];
}

const slice =
  (from: number | undefined, to: number | undefined, step: number): Step =>
  ({ value }) =>
    Array.isArray(value)
      ? membersOf(value)
          .slice(from, to)
          .filter((_, at) => at % step === 0)
      : [];

const index =
  (at: number): Step =>
  ({ value }) => {
    if (!Array.isArray(value)) return [];
    const place = at < 0 ? value.length + at : at;
    return place >= 0 && place < value.length ? [membersOf(value)[place]!] : [];
  };

type Comparison = (left: unknown, right: unknown) => boolean;
const ordered =
  (compare: (difference: number) => boolean): Comparison =>
  (left, right) =>
    typeof left === typeof right &&
    (typeof left === "number" || typeof left === "string") &&
    compare(left < right! ? -1 : left === right ? 0 : 1);
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<=": ordered((difference) => difference <= 0),
  ">=": ordered((difference) => difference >= 0),
  "<": ordered((difference) => difference < 0),
  ">": ordered((difference) => difference > 0),
};

/** `@.a == "b"`, or `@.a` alone, which asks whether it is there. */
function filter(text: string): Step {
  const match = /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/.exec(text);
  const left = operand(match === null ? text : match[1]!);
  if (match === null)
    return (found, root) => membersOf(found.value).filter((member) => left(member.value, root) !== undefined);
  const [right, compare] = [operand(match[3]!), COMPARISONS[match[2]!]!];
  return (found, root) => membersOf(found.value).filter(({ value }) => compare(left(value, root), right(value, root)));
}

/** A literal, a path from the member (`@`) or from the document (`$`). */
function operand(text: string): (current: unknown, root: unknown) => unknown {
  const trimmed = text.trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$|^'((?:[^'\\]|\\.)*)'$/.exec(trimmed);
  if (quoted !== null) {
    const literal = (quoted[1] ?? quoted[2]!).replaceAll(/\\(.)/g, "$1");
    return () => literal;
  }
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return () => Number(trimmed);
  if (/^(true|false)$/.test(trimmed)) return () => trimmed === "true";
  if (trimmed === "nil" || trimmed === "null") return () => null;
  if (!/^[@$]/.test(trimmed)) throw new PathError(`expected @.field, $.field or a literal, got ${trimmed}`);
  const steps = parseSteps(trimmed.slice(1));
  return (current, root) => walk(steps, trimmed.startsWith("$") ? root : current, root)[0]?.value;
}

function walk(steps: readonly Step[], start: unknown, root: unknown): Found[] {
  let found: Found[] = [{ value: start, parent: undefined, key: undefined }];
  for (const step of steps) found = found.flatMap((each) => step(each, root));
  return found;
}

/** What stands in brackets, which end at `]` outside of quotes and inner brackets. */
function bracketed(text: string): string {
  let depth = 0;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote !== "") {
      if (char === "\\") at++;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "[") depth++;
    else if (char === "]" && --depth === 0) return text.slice(1, at);
  }
  throw new PathError(`expected ] after ${text}`);
}

function bracketStep(inner: string): Step {
  const condition = /^\?\s*\((.*)\)$/s.exec(inner);
  if (condition !== null) return filter(condition[1]!.trim());
  const parts = inner.split(/,(?=(?:[^'"]*['"][^'"]*['"])*[^'"]*$)/).map((part) => oneOf(part.trim()));
  return parts.length === 1 ? parts[0]! : (found, root) => parts.flatMap((part) => part(found, root));
}

function oneOf(part: string): Step {
  if (part === "*") return wildcard;
  const quoted = /^(['"])(.*)\1$/s.exec(part);
  if (quoted !== null) return field(quoted[2]!.replaceAll(/\\(.)/g, "$1"));
  if (/^-?\d+$/.test(part)) return index(Number(part));
  const range = /^(-?\d*):(-?\d*)(?::([1-9]\d*))?$/.exec(part);
  if (range === null) throw new PathError(`expected an index, a slice, a quoted name or *, got ${part}`);
  const bound = (text: string | undefined): number | undefined => (text === "" ? undefined : Number(text));
  return slice(bound(range[1]), bound(range[2]), Number(range[3] ?? 1));
}

function parseSteps(text: string): Step[] {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    const recursive = rest.startsWith("..");
    if (recursive) {
      steps.push((found) => descend(found));
      rest = rest.slice(1);
      if (rest.startsWith(".[")) rest = rest.slice(1);
    }
    const name = /^\.((?:[^.[\]\\\s]|\\.)+)/.exec(rest);
    if (rest.startsWith("[")) {
      const inner = bracketed(rest);
      steps.push(bracketStep(inner.trim()));
      rest = rest.slice(inner.length + 2);
    } else if (name !== null) {
      const plain = name[1]!.replaceAll(/\\(.)/g, "$1");
      steps.push(name[1] === "*" ? wildcard : field(plain));
      rest = rest.slice(name[0].length);
    } else if (rest === ".") rest = "";
    else throw new PathError(`expected .field or [...], got ${rest}`);
  }
  return steps;
}

/** A value as text, as json_exporter has it in labels: text as it is, anything else as JSON. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** Parses a path; throws a PathError. Text without braces is itself. */
export function parsePath(text: string): Path {
  const parts: (string | Step[])[] = [];
  let at = 0;
  for (const { index: start, [0]: whole } of text.matchAll(/\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*\}/g)) {
    if (start > at) parts.push(text.slice(at, start));
    parts.push(expressionIn(whole.slice(1, -1).trim()));
    at = start + whole.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  if (parts.some((part) => typeof part === "string" && /[{}]/.test(part)))
    throw new PathError(`expected { and } in pairs, got ${text}`);
  const first = parts.find((part) => typeof part !== "string");
  return {
    find: (root) => (first === undefined ? [] : walk(first, root, root)),
    render: (root) => {
      const texts = parts.map((part) => {
        if (typeof part === "string") return part;
        const found = walk(part, root, root);
        return found.length === 0 ? undefined : found.map(({ value }) => textOf(value)).join(" ");
      });
      return texts.includes(undefined) ? undefined : texts.join("");
    },
  };
}

function expressionIn(text: string): Step[] {
  if (/^(range|end)\b/.test(text)) throw new PathError("expected a path, got range: use type object");
  return parseSteps(text.replace(/^[$@]/, ""));
}
