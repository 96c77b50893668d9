// The generated parts of a Markdown file: what stands between `<!-- generated: <name> -->` and `<!-- /generated -->`.

const opening = (name: string): string => `<!-- generated: ${name} -->`;
const CLOSING = "<!-- /generated -->";
const OPENING = /^<!-- generated: (.+?) -->$/gm;
/** A part has no opening inside: one that is not closed does not swallow the next. */
const PART = /^<!-- generated: (.+?) -->\n(?:(?!<!-- generated: )[^])*?^<!-- \/generated -->$/gm;

export type Filled = { readonly text: string; readonly problems: readonly string[] };

/**
 * Fills each generated part of `text` with what `contentOf` gives for its name. A part that is not closed, of an unknown
 * name, or missing although it is among the `required` is a problem: `<file>: expected ..., got ...`.
 */
export function fillParts(
  file: string,
  text: string,
  { contentOf, required }: { contentOf: (name: string) => string | undefined; required: readonly string[] },
): Filled {
  const problems: string[] = [];
  const open = new Map([...text.matchAll(OPENING)].map((match) => [match.index, match[1]!]));
  const filled = text.replaceAll(PART, (part: string, name: string, at: number) => {
    open.delete(at);
    const content = contentOf(name);
    if (content !== undefined) return `${opening(name)}\n\n${content}\n\n${CLOSING}`;
    problems.push(`${file}: expected a part that can be generated (${required.join(", ")}), got ${opening(name)}`);
    return part;
  });
  for (const name of open.values()) {
    problems.push(`${file}: expected the line ${CLOSING} after ${opening(name)}, got none`);
  }
  for (const name of required.filter((name) => !text.includes(opening(name)))) {
    problems.push(
      `${file}: expected the lines ${opening(name)} and ${CLOSING}, got neither: add them where it belongs`,
    );
  }
  return { text: filled, problems };
}
