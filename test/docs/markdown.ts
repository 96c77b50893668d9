// The links and anchors of Markdown text, as GitHub shows it. Code is not looked into.

/** The text without fenced blocks; and without code spans, unless their words are wanted. */
function withoutCode(markdown: string, { spans }: { spans: boolean }): string {
  const text = markdown.replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[^]*?^ *\2[`~]* *$/gm, "");
  return spans ? text.replaceAll(/(`+)[^`]+?\1/g, "") : text;
}

const INLINE = /\]\(\s*<?([^)\s>]+)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm;
const ATTRIBUTE = /<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g;

/** The targets of all links and images. */
export function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown, { spans: true });
  return [INLINE, DEFINITION, ATTRIBUTE].flatMap((form) => [...text.matchAll(form)].map((match) => match[1]!));
}

/** Leaves of a heading what a reader sees, and makes it an identifier. */
function slugOf(heading: string): string {
  const seen = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/<[^>]+>/g, "");
  return seen
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** The anchors that links can point to: headings (`# ...`), a repeated one with a number, and `id` attributes. */
export function anchorsOf(markdown: string): Set<string> {
  const text = withoutCode(markdown, { spans: false });
  const anchors = new Set([...text.matchAll(/<[a-z]+\b[^>]*?\b(?:id|name)="([^"]+)"/g)].map((match) => match[1]!));
  const repeated = new Map<string, number>();
  for (const [, heading] of text.matchAll(/^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$/gm)) {
    const slug = slugOf(heading!);
    const count = repeated.get(slug) ?? 0;
    repeated.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}
