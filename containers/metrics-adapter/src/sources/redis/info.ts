// The text that INFO and CLUSTER INFO answer, as fields and numbers.

/** The fields of all sections, and those of each. */
export type Info = {
  readonly fields: ReadonlyMap<string, string>;
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

/** Reads `field:value` lines below `# Section` lines. What is neither is passed over; the last of equal fields counts. */
export function parseInfo(text: string): Info {
  const fields = new Map<string, string>();
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const at = line.indexOf(":");
    if (line.startsWith("# ")) {
      const name = line.slice(2);
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
    } else if (at > 0) {
      fields.set(line.slice(0, at), line.slice(at + 1));
      section.set(line.slice(0, at), line.slice(at + 1));
    }
  }
  return { fields, sections };
}

/** `a=1,b=2` */
export function parsePairs(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(",").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  return new Map(pairs);
}

const WORDS: Readonly<Record<string, number>> = { ok: 1, true: 1, up: 1, err: 0, fail: 0, false: 0, down: 0 };

/** A number, or a word that stands for one; undefined for anything else. */
export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (Object.hasOwn(WORDS, text)) return WORDS[text];
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
