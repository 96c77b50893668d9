// What a source is: something that is asked at each scrape and puts what it finds on the page.
import type * as z from "@outrigger/options/zod";
import type { Logger } from "@outrigger/runtime";

import type { Labels, Series } from "./exposition/model.ts";
import type { Declaration } from "./exposition/page.ts";

/** The part of a page that one source fills. */
export type Section = {
  family(declaration: Declaration): SectionFamily;
  /** Adds one number. `origin` says where it comes from, for `debug=true` and `explain`: `INFO used_memory`. */
  point(declaration: Declaration, value: number, labels?: Labels, origin?: string): void;
};
export type SectionFamily = { add(series: Series, origin?: string): void };

/** One scrape, as a source sees it. */
export type Scrape = {
  /** Aborted when the time for it is over. */
  readonly signal: AbortSignal;
  /** How long it may take from its beginning, in milliseconds. */
  readonly timeoutMs: number;
};

/** What a source gets from the container. */
export type SourceServices = {
  /** The source's name in the configuration. */
  readonly name: string;
  readonly log: Logger;
  /** How large an answer of the application may be. */
  readonly maxBodySize: number;
};

export type Source = {
  /** Rejects when the application cannot be read; then its `up` is 0. What was added before that stays. */
  collect(section: Section, scrape: Scrape): Promise<void>;
  close?(): unknown;
};

/** One kind of application. Its settings are described once, as the schema of the configuration file. */
export type SourceKind<C = never> = {
  readonly type: string;
  /** What the names of its metrics begin with: `<prefix>_up`. */
  readonly prefix: string;
  readonly schema: z.ZodType<C, unknown>;
  /** The setting that `/probe?target=` sets; without one it cannot be probed. */
  readonly targetKey?: string;
  /** What is wrong with files that the settings name; each is a problem as the user sees it. */
  check?(settings: C): string[];
  /**
   * Makes a section of what the application might have answered, without asking it. Gives what there is to say beside the
   * series: why something is none. Throws where the sample is nothing that the source could read.
   */
  explain?(settings: C, sample: string, section: Section): Promise<readonly string[]>;
  create(settings: C, services: SourceServices): Source | Promise<Source>;
};

/** Defines a kind of source; only gives its parts their types. */
export const defineSource = <C>(kind: SourceKind<C>): SourceKind<C> => kind;
