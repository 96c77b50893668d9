// What the user wrote, before anybody judges it: a value with the name under which it was written, and problems.
import { nearest } from "./nearest.ts";

/** A value as the user wrote it, and where. */
export type Entry = {
  readonly value: unknown;
  readonly writtenAs: string;
  readonly origin: string;
  /** The value is a whole file, so that its keys are the file's. */
  readonly isFile?: boolean;
};

/** Entries by property, one source each, and the problems met while reading. */
export type SourceEntries = { readonly entries: Map<string, Entry>; readonly problems: string[] };

/** What to add to a complaint about an unknown name. */
export function didYouMean(name: string, valid: Iterable<string>): string {
  const near = nearest(name, valid);
  return near === undefined ? "" : ` (did you mean ${near}?)`;
}
