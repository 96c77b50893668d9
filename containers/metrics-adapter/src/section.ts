// A section of a page: adds the source's own labels to what the source adds, and takes nothing any more once its time is
// over, when the page is already on its way.
import type { Labels, Series } from "./exposition/model.ts";
import type { Declaration, Page } from "./exposition/page.ts";
import type { Section, SectionFamily } from "./source.ts";

/** Where a series comes from, as `debug=true` and `explain` tell it. */
export type Trace = (metric: string, series: Series, origin: string) => void;

export type ClosableSection = Section & { close(): void };

export function createSection(page: Page, constant: Labels, trace: Trace | undefined): ClosableSection {
  let open = true;
  const family = (declaration: Declaration): SectionFamily => {
    if (!open) return { add: () => {} };
    const builder = page.family(declaration);
    return {
      add: (series, origin) => {
        if (!open) return;
        const labelled = constant.length === 0 ? series : { ...series, labels: [...series.labels, ...constant] };
        const added = builder.add(labelled);
        if (added && origin !== undefined) trace?.(declaration.name, labelled, origin);
      },
    };
  };
  return {
    family,
    point: (declaration, value, labels = [], origin = undefined) => family(declaration).add({ labels, value }, origin),
    close: () => {
      open = false;
    },
  };
}
