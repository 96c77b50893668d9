// Statistics that are text of an application's own form: keys and values, lines that fit expressions, CSV.
import type { Source, SourceServices } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { fetchText } from "./fetch.ts";
import { createTextReader } from "./parse.ts";
import type { TextSettings } from "./settings.ts";
import { textProblems, textSchema } from "./settings.ts";

function createText(settings: TextSettings, { maxBodySize }: SourceServices): Source {
  const read = createTextReader(settings);
  return {
    collect: async (section, { signal }) => {
      const unused = read(await fetchText(settings, { signal, maxBodySize }), section);
      const help = "Lines of the text, at the last scrape, of which nothing could be made.";
      section.point({ name: "text_unused_lines", type: "gauge", help }, unused.length);
    },
  };
}

export const text = defineSource<TextSettings>({
  type: "text",
  prefix: "text",
  schema: textSchema,
  check: textProblems,
  explain: async (settings, sample, section) => createTextReader(settings)(sample, section),
  create: createText,
});
