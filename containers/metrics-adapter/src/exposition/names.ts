// Names of metrics and labels: which may be written as they are, and how others are written for whom.

/** How a name that is not of the legacy form is written: quoted as it is, or made one that is. */
export const ESCAPINGS = ["allow-utf-8", "underscores", "dots", "values"] as const;
export type Escaping = (typeof ESCAPINGS)[number];

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const isLegacyMetricName = (name: string): boolean => METRIC.test(name);
export const isLegacyLabelName = (name: string): boolean => LABEL.test(name);

const isLegacyStart = (char: string): boolean => /^[a-zA-Z_:]$/.test(char);
const isLegacyPart = (char: string): boolean => /^[a-zA-Z0-9_:]$/.test(char);

/** Writes each character of a name by `write`, which is told whether it is the first. */
const rewrite = (name: string, write: (char: string, first: boolean) => string): string =>
  [...name].map((char, at) => write(char, at === 0)).join("");

const isLegacyAt = (char: string, first: boolean): boolean => (first ? isLegacyStart(char) : isLegacyPart(char));

const WRITERS: Readonly<Record<Exclude<Escaping, "allow-utf-8">, (name: string) => string>> = {
  underscores: (name) => rewrite(name, (char, first) => (isLegacyAt(char, first) ? char : "_")),
  dots: (name) =>
    rewrite(name, (char, first) => {
      if (char === "_") return "__";
      if (char === ".") return "_dot_";
      return isLegacyAt(char, first) ? char : "__";
    }),
  values: (name) =>
    `U__${rewrite(name, (char, first) => {
      if (char === "_") return "__";
      return isLegacyAt(char, first) ? char : `_${char.codePointAt(0)!.toString(16)}_`;
    })}`,
};

/** How a metric's name is written. `dots` and `underscores` are prometheus/common's, whose names Prometheus knows. */
export function escapeMetricName(name: string, escaping: Escaping): string {
  if (escaping === "allow-utf-8") return name;
  // A dot may have been an underscore: with `dots`, both have to change, in legacy names too.
  if (isLegacyMetricName(name) && !(escaping === "dots" && name.includes("_"))) return name;
  return WRITERS[escaping](name);
}

/** How a label's name is written. In a label a colon is not of the legacy form. */
export function escapeLabelName(name: string, escaping: Escaping): string {
  if (escaping === "allow-utf-8") return name;
  if (isLegacyLabelName(name) && !(escaping === "dots" && name.includes("_"))) return name;
  return WRITERS[escaping](name).replaceAll(":", "_");
}
