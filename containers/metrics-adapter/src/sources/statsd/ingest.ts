// From lines to series. Clients send the same names with the same tags again and again: what a line is about is resolved
// once and kept, so that a line costs cutting it, one look-up and one addition.
import type { Labels } from "../../exposition/model.ts";
import type { Mapped, Mapper } from "../push/mapper.ts";
import type { Store, Stored, StoredType } from "../push/store.ts";
import type { SampleError, StatsdType, Subject, TagStyles } from "./line.ts";
import { cutLine, parseSubject, splitSamples } from "./line.ts";

/** What became of lines, by statsd_exporter's names. */
export type IngestCounts = {
  lines: number;
  samples: number;
  unmapped: number;
  readonly events: Record<"counter" | "gauge" | "observer" | "set", number>;
  readonly actions: Record<"map" | "drop", number>;
  readonly sampleErrors: Map<SampleError, number>;
  readonly conflicts: Record<StoredType, number>;
  negativeCounters: number;
  /** Samples of series that were one too many. */
  full: number;
};

export type Ingest = {
  readonly counts: IngestCounts;
  /** Takes one line, or several with line breaks between them. */
  take(text: string): void;
};

export type IngestSettings = {
  readonly mapper: Mapper;
  readonly store: Store;
  readonly styles: TagStyles;
  /** Subjects that are kept. */
  readonly cacheSize: number;
  readonly now: () => number;
};

const TYPES: Readonly<Record<StatsdType, StoredType>> = {
  c: "counter",
  g: "gauge",
  ms: "observer",
  h: "observer",
  d: "observer",
  s: "set",
};
/** Longer lines are not taken: what they say would be kept. */
const MAX_LINE = 4096;
/** Timers come in milliseconds, and are shown in seconds. */
const FACTORS: Readonly<Partial<Record<StatsdType, number>>> = { ms: 1e-3 };

/** What the beginning and the end of a line were resolved to: where its values go, or why nowhere. */
type Resolved = { readonly error: SampleError } | Destination;
type Destination = {
  readonly subject: Subject;
  readonly mapped: Mapped;
  readonly type: StoredType;
  readonly factor: number;
  /** How many events one value stands for. */
  readonly times: number;
  stored: Stored | "conflict" | "full";
};

const createCounts = (): IngestCounts => ({
  lines: 0,
  samples: 0,
  unmapped: 0,
  events: { counter: 0, gauge: 0, observer: 0, set: 0 },
  actions: { map: 0, drop: 0 },
  sampleErrors: new Map(),
  conflicts: { counter: 0, gauge: 0, observer: 0, set: 0 },
  negativeCounters: 0,
  full: 0,
});

export function createIngest(settings: IngestSettings): Ingest {
  const counts = createCounts();
  const resolve = createResolver(settings);
  const fail = (error: SampleError): void =>
    void counts.sampleErrors.set(error, (counts.sampleErrors.get(error) ?? 0) + 1);

  const takeSample = (line: string): void => {
    counts.samples++;
    const cut = cutLine(line);
    if (cut === undefined) return fail(line.includes(":") ? "not_enough_parts_after_colon" : "malformed_line");
    const to = resolve.subject(cut.name, cut.rest);
    if ("error" in to) return fail(to.error);
    counts.actions[to.mapped.action]++;
    if (to.mapped.action === "drop") return undefined;
    if (to.mapped.rule === undefined) counts.unmapped++;
    return putAll(to, cut.values);
  };

  const putAll = (to: Destination, values: string): void => {
    if (typeof to.stored === "string" || !to.stored.live) to.stored = resolve.stored(to);
    const { stored, type } = to;
    if (stored === "conflict") counts.conflicts[type]++;
    else if (stored === "full") counts.full++;
    else {
      if (stored.ttlMs > 0) stored.seenAt = settings.now();
      if (!values.includes(":")) put(to, stored, values);
      else for (const value of values.split(":")) put(to, stored, value);
    }
  };

  const put = (to: Destination, stored: Stored, text: string): void => {
    const error = addValue(settings.store, to, { stored, text });
    if (error === undefined) counts.events[to.type]++;
    else if (error === "illegal_negative_counter") counts.negativeCounters++;
    else fail(error);
  };

  const takeLine = (line: string): void => {
    if (line === "" || line === "\r") return undefined;
    counts.lines++;
    if (line.length > MAX_LINE) return fail("malformed_line");
    const clean = line.endsWith("\r") ? line.slice(0, -1) : line;
    // Only a line with a second colon after its type can hold several samples.
    const bar = clean.indexOf("|");
    if (bar < 0 || clean.indexOf(":", bar) < 0) return takeSample(clean);
    for (const sample of splitSamples(clean)) takeSample(sample);
    return undefined;
  };

  return {
    counts,
    take: (text) => {
      let from = 0;
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
        takeLine(text.slice(from, at));
        from = at + 1;
      }
      takeLine(text.slice(from));
    },
  };
}

/** Finds out what lines are about, and remembers it. */
function createResolver({ mapper, store, styles, cacheSize }: IngestSettings) {
  const known = new Map<string, Resolved>();
  const stored = ({ subject, mapped, type }: Omit<Destination, "stored">): Destination["stored"] => {
    if (mapped.action === "drop") return "conflict";
    const origin = `${subject.name} by ${mapped.rule ?? "no rule"}`;
    return store.series({ ...mapped, type, labels: labelsOf(subject, mapped), origin });
  };
  const resolve = (name: string, rest: string): Resolved => {
    const subject = parseSubject(name, rest, styles);
    if (typeof subject === "string") return { error: subject };
    const type = TYPES[subject.type];
    const mapped = mapper.map(subject.name, type === "set" ? "gauge" : type);
    const factor = mapped.scale * (FACTORS[subject.type] ?? 1);
    const times = type === "counter" ? 1 / subject.rate : Math.trunc(1 / subject.rate) || 1;
    const destination = { subject, mapped, type, factor, times };
    return { ...destination, stored: stored(destination) };
  };
  return {
    stored,
    subject: (name: string, rest: string): Resolved => {
      const key = `${name}|${rest}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const made = resolve(name, rest);
      if (known.size >= cacheSize) known.clear();
      known.set(key, made);
      return made;
    },
  };
}

function addValue(
  store: Store,
  { type, factor, times }: Destination,
  { stored, text }: { stored: Stored; text: string },
): SampleError | "illegal_negative_counter" | undefined {
  if (type === "set") return void store.addMember(stored, text);
  const number = text === "" ? NaN : Number(text);
  if (!Number.isFinite(number)) return "malformed_value";
  const value = number * factor;
  if (type === "counter") {
    if (value < 0) return "illegal_negative_counter";
    stored.value += value * times;
  } else if (type === "gauge") {
    const sign = text.charCodeAt(0);
    // A sign makes it a change: + is 43, - is 45.
    stored.value = sign === 43 || sign === 45 ? stored.value + value : value;
  } else stored.distribution!.observe(value, times);
  return undefined;
}

/** The rule's labels and the line's tags; where both have one, the rule's counts, unless it says otherwise. */
function labelsOf({ tags }: Subject, { labels, honorLabels }: Mapped): Labels {
  const [first, second] = honorLabels ? [labels, tags] : [tags, labels];
  const merged = new Map<string, string>();
  for (const side of [first, second]) {
    for (let at = 0; at < side.length; at += 2) merged.set(side[at]!, side[at + 1]!);
  }
  return [...merged].flat();
}
