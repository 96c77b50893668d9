// Lines of StatsD, with the tags of DogStatsD, InfluxDB, Librato and SignalFX. A line is cut into what says which series it
// is about and its values, so that what was resolved once need not be again.

/** Why a line, or a part of it, cannot be used; statsd_exporter's words. */
export const SAMPLE_ERRORS = [
  "malformed_line",
  "mixed_tagging_styles",
  "not_enough_parts_after_colon",
  "malformed_component",
  "malformed_value",
  "invalid_sample_factor",
  "illegal_event",
] as const;
export type SampleError = (typeof SAMPLE_ERRORS)[number];

export type StatsdType = "c" | "g" | "ms" | "h" | "d" | "s";
const TYPES: ReadonlySet<string> = new Set(["c", "g", "ms", "h", "d", "s"]);

export type TagStyles = {
  readonly dogstatsd: boolean;
  readonly influxdb: boolean;
  readonly librato: boolean;
  readonly signalfx: boolean;
};

/** What a line is about. */
export type Subject = {
  readonly name: string;
  readonly type: StatsdType;
  readonly tags: readonly string[];
  /** The share of events that was sent: 0.1 is one in ten. */
  readonly rate: number;
};

/** The name with its tags, the values, and what follows them: `a,b=c`, `1:2`, `ms|@0.1`. */
export type CutLine = { readonly name: string; readonly values: string; readonly rest: string };

/** Cuts a line at its values; a name has no colon outside of SignalFX' brackets. Undefined for what is no line. */
export function cutLine(line: string): CutLine | undefined {
  const bracket = line.indexOf("[");
  const colon = line.indexOf(":", bracket >= 0 && bracket < line.indexOf(":") ? Math.max(line.indexOf("]"), 0) : 0);
  const bar = line.indexOf("|", colon);
  if (colon <= 0 || bar < 0) return undefined;
  return { name: line.slice(0, colon), values: line.slice(colon + 1, bar), rest: line.slice(bar + 1) };
}

/** What the name and the rest of a line say. */
export function parseSubject(name: string, rest: string, styles: TagStyles): Subject | SampleError {
  const named = parseName(name, styles);
  if (named === undefined) return "malformed_line";
  const [type = "", ...components] = rest.split("|");
  if (!TYPES.has(type)) return "illegal_event";
  const details = parseComponents(components, styles);
  if (typeof details === "string") return details;
  const { rate, tags } = details;
  if (tags.length > 0 && named.tags.length > 0) return "mixed_tagging_styles";
  return { name: named.name, type: type as StatsdType, tags: tags.length > 0 ? tags : named.tags, rate };
}

/** Container's ids, times, external data and cardinality are DogStatsD's: they are read, and mean nothing here. */
const PASSED_OVER = /^(c:|T\d|e:|card:|#)/;

function parseComponents(
  components: readonly string[],
  styles: TagStyles,
): Pick<Subject, "rate" | "tags"> | SampleError {
  let rate = 1;
  const tags: string[] = [];
  for (const component of components) {
    const content = component.slice(1);
    if (component.startsWith("@")) {
      rate = Number(content);
      if (content === "" || !(rate > 0) || !Number.isFinite(rate)) return "invalid_sample_factor";
    } else if (component.startsWith("#") && styles.dogstatsd) tags.push(...parseTags(content, ":"));
    else if (!PASSED_OVER.test(component)) return "malformed_component";
  }
  return { rate, tags };
}

const TAG_NAME = /[^a-zA-Z0-9_]/g;

/** `a:b,c` as label names and values; a tag without a value is not one. */
function parseTags(text: string, separator: string): string[] {
  return text.split(",").flatMap((tag) => {
    const at = tag.indexOf(separator);
    if (at <= 0 || at === tag.length - 1) return [];
    const name = tag.slice(0, at).replaceAll(TAG_NAME, "_");
    return [/^\d/.test(name) ? `_${name}` : name, tag.slice(at + 1)];
  });
}

/** `name,a=b` is InfluxDB's, `name#a=b` Librato's, `name[a=b]rest` SignalFX'. */
function parseName(text: string, styles: TagStyles): { name: string; tags: string[] } | undefined {
  if (text.includes("[") && styles.signalfx) {
    const match = /^([^[\]]*)\[([^[\]]*)\]([^[\]]*)$/.exec(text);
    return match === null ? undefined : { name: match[1]! + match[3]!, tags: parseTags(match[2]!, "=") };
  }
  const hash = styles.librato ? text.indexOf("#") : -1;
  const comma = styles.influxdb ? text.indexOf(",") : -1;
  const at = hash >= 0 ? hash : comma;
  if (at < 0) return { name: text, tags: [] };
  return at === 0 ? undefined : { name: text.slice(0, at), tags: parseTags(text.slice(at + 1), "=") };
}

const SAMPLE = /^[^|]+\|(?:c|g|ms|h|d|s)(?:\||$)/;

/** The lines that several samples of one name in one line stand for: `a:1|c:2|g` is `a:1|c` and `a:2|g`. */
export function splitSamples(line: string): string[] {
  if (line.includes("|#") || line.indexOf(":", line.indexOf("|")) < 0) return [line];
  const name = line.slice(0, line.indexOf(":") + 1);
  const samples = line.slice(name.length).split(/(?<=\|[a-z]+(?:\|@[\d.]+)?):/);
  // What stands after a colon may be a container's id as well: `a:1|c|c:id`.
  return samples.every((sample) => SAMPLE.test(sample)) ? samples.map((sample) => name + sample) : [line];
}
