// The label names of a family's series. They are the same for nearly all of them, so what they allow, and how they are
// written, is found out once for each order of names: a series then costs looking at its values.
import type { Labels } from "./model.ts";
import { isLegacyLabelName } from "./names.ts";

/** Label names in one order. */
export type Shape = {
  readonly names: readonly string[];
  /** Whether a series may have these names. */
  readonly valid: boolean;
  /** Whether all are of the form that every reader knows. */
  readonly legacy: boolean;
  /** What is written before each value: `path="`, then `",method="`. */
  readonly before: readonly string[];
  /** The places of the labels in the order in which the same names came first; undefined where this is that order. */
  readonly order: readonly number[] | undefined;
};

const NEEDS_ESCAPE = /["\\\n]/;
const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\\": "\\\\", '"': '\\"' };
export const escapeAll = (text: string): string => text.replaceAll(/["\\\n]/g, (char) => ESCAPES[char]!);
const escaped = (text: string): string => (NEEDS_ESCAPE.test(text) ? escapeAll(text) : text);

export const quoted = (text: string): string => `"${escaped(text)}"`;

/** Labels as the text formats have them, without braces. */
export function writeLabels(labels: Labels, { before }: Shape): string {
  if (labels.length === 0) return "";
  let text = "";
  for (let at = 0; at < before.length; at++) text += before[at]! + escaped(labels[at * 2 + 1]!);
  return `${text}"`;
}

const namesOf = (labels: Labels): string[] => labels.filter((_, at) => at % 2 === 0);

/** No names, and one that is empty, are not the same. */
const keyOf = (names: readonly string[]): string => `${names.length}\u0000${names.join("\u0000")}`;

function createShape(
  names: readonly string[],
  reserved: string | undefined,
  order: readonly number[] | undefined,
): Shape {
  const isValid = (name: string, at: number): boolean =>
    name !== "" && name !== "__name__" && name !== reserved && name.isWellFormed() && names.indexOf(name) === at;
  return {
    names,
    valid: names.every(isValid),
    legacy: names.every(isLegacyLabelName),
    before: names.map((name, at) => `${at === 0 ? "" : '",'}${isLegacyLabelName(name) ? name : quoted(name)}="`),
    order,
  };
}

const NO_LABELS = createShape([], undefined, undefined);

/** The shapes of one family; `reserved` is the label that its type has for itself. */
export function createShapes(reserved?: string): (labels: Labels) => Shape {
  let last: Shape | undefined;
  // Most families have one shape only, and there are many families: what others need is made when they come.
  let find: ((names: readonly string[]) => Shape) | undefined;
  const isLast = (labels: Labels): boolean => {
    if (last === undefined || last.names.length * 2 !== labels.length) return false;
    for (let at = 0; at < last.names.length; at++) if (last.names[at] !== labels[at * 2]) return false;
    return true;
  };
  return (labels) => {
    if (labels.length === 0) return NO_LABELS;
    if (isLast(labels)) return last!;
    if (last === undefined) last = createShape(namesOf(labels), reserved, undefined);
    else {
      find ??= createFinder(last, reserved);
      last = find(namesOf(labels));
    }
    return last;
  };
}

/** Finds the shape of names, or makes it; the names that come first in an order give their set its order. */
function createFinder(only: Shape, reserved: string | undefined): (names: readonly string[]) => Shape {
  const known = new Map([[keyOf(only.names), only]]);
  const first = new Map([[keyOf(only.names.toSorted()), only.names]]);
  return (names) => {
    const key = keyOf(names);
    const found = known.get(key);
    if (found !== undefined) return found;
    const set = keyOf(names.toSorted());
    const before = first.get(set);
    if (before === undefined) first.set(set, names);
    const shape = createShape(
      names,
      reserved,
      before?.map((name) => names.indexOf(name)),
    );
    known.set(key, shape);
    return shape;
  };
}

/** A text that is the same for the same labels in any order; `text` is what writeLabels() has made of them. */
export function identityOf(
  labels: Labels,
  { order, names }: Shape,
  text: string,
  shapes: (labels: Labels) => Shape,
): string {
  if (order === undefined) return text;
  const sorted = order.flatMap((at) => [names[at]!, labels[at * 2 + 1]!]);
  return writeLabels(sorted, shapes(sorted));
}
