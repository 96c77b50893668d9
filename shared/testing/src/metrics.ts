// The Prometheus text exposition as tests look into it: samples by name and labels.

export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Metrics = {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The sum of the samples of this name that carry at least these labels; undefined if there is none. */
  readonly value: (name: string, labels?: Readonly<Record<string, string>>) => number | undefined;
};

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/y;
const ESCAPES: Record<string, string> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`labels {${text}}: expected name="value", got ${text.slice(at)}`);
    labels[match[1]!] = match[2]!.replaceAll(/\\./g, (escape) => ESCAPES[escape] ?? escape);
    at = LABEL.lastIndex;
  }
  return labels;
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`exposition line: expected name{labels} value, got ${line}`);
  const [, name, labels = "", value] = match;
  return { name: name!, labels: parseLabels(labels), value: Number(value!.replace("Inf", "Infinity")) };
}

/** Reads the text format, version 0.0.4; throws on a line that is not of it. */
export function parseMetrics(text: string): Metrics {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const samples = lines.map(parseSample);
  return {
    text,
    samples,
    value: (name, labels = {}) => {
      const wanted = Object.entries(labels);
      const found = samples.filter(
        (sample) => sample.name === name && wanted.every(([key, v]) => sample.labels[key] === v),
      );
      return found.length === 0 ? undefined : found.reduce((sum, sample) => sum + sample.value, 0);
    },
  };
}
