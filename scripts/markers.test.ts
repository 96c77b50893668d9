import { expect, test } from "vitest";

import { fillParts } from "./markers.ts";

const contents: Record<string, string> = { one: "first", two: "| a |\n|---|" };
const fill = (text: string, required: string[] = []) =>
  fillParts("README.md", text, { contentOf: (name) => contents[name], required });

test("what stands between the markers is replaced, and the rest stays as it is", () => {
  const text = "# Title\n\n<!-- generated: one -->\nold\n<!-- /generated -->\n\n$& <!-- generated: two --> in a line\n";
  const { text: filled, problems } = fill(text, ["one"]);
  expect(filled).toBe(text.replace("\nold\n", "\n\nfirst\n\n"));
  expect(problems).toEqual([]);
});

test("filling again changes nothing, and an empty part is filled", () => {
  const empty = "<!-- generated: one -->\n<!-- /generated -->\n<!-- generated: two -->\n<!-- /generated -->\n";
  const once = fill(empty).text;
  expect(once).toContain("| a |");
  expect(fill(once).text).toBe(once);
});

test("content with dollar signs is taken literally", () => {
  const text = "<!-- generated: one -->\n<!-- /generated -->";
  const { text: filled } = fillParts("f", text, { contentOf: () => "$1 $& $$", required: [] });
  expect(filled).toContain("$1 $& $$");
});

test("a missing part, an unknown one and one that is not closed are told together, with what to add", () => {
  const text = [
    "<!-- generated: tow -->\n<!-- /generated -->",
    "<!-- generated: two -->",
    "<!-- generated: two -->\n<!-- /generated -->",
  ].join("\n");
  expect(fill(text, ["one", "two"]).problems).toEqual([
    "README.md: expected a part that can be generated (one, two), got <!-- generated: tow -->",
    "README.md: expected the line <!-- /generated --> after <!-- generated: two -->, got none",
    "README.md: expected the lines <!-- generated: one --> and <!-- /generated -->, got neither: add them where it belongs",
  ]);
});
