import { expect, test } from "vitest";

import { anchorsOf, linksOf } from "./markdown.ts";

test("links are found in each of their forms", () => {
  const text = `[one](a.md) and [two](b.md#part "title"), ![image](c.png), [![badge](d.svg)](e.md)
[three][ref] and <a class="x" href="f.md">four</a> and <img src="g.png">

[ref]: h.md
`;
  expect(linksOf(text).sort()).toEqual(["a.md", "b.md#part", "c.png", "d.svg", "e.md", "f.md", "g.png", "h.md"]);
});

test("what stands in code is no link", () => {
  const text = "`[a](a.md)` ``[b](`b.md`)``\n\n```md\n[c](c.md)\n```\n\n~~~\n[d](d.md)\n~~~\n\n[e](e.md)\n";
  expect(linksOf(text)).toEqual(["e.md"]);
});

test("headings have the anchors that GitHub gives them", () => {
  const text = `# Outrigger: the shape of it
## \`--admin-listen\` & friends
### What it *does*, [and why](why.md) ###
## Über_Größe 2.0
## Options
## Options
<a id="here"></a>

\`\`\`sh
# a comment
\`\`\`
`;
  expect([...anchorsOf(text)].sort()).toEqual(
    [
      "outrigger-the-shape-of-it",
      "--admin-listen--friends",
      "what-it-does-and-why",
      "über_größe-20",
      "options",
      "options-1",
      "here",
    ].sort(),
  );
});
