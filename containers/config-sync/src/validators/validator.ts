// What stands between a set of files and its readers: each validator looks at a candidate and says what is wrong with it.
import type { FileChanges, FileEntry, FileSet } from "@outrigger/files";

/** A revision that nobody sees yet: `folder` is where it lies on disk. */
export type Candidate = {
  readonly job: string;
  readonly revision: string;
  readonly files: FileSet;
  readonly folder: string;
  readonly changes: FileChanges;
};

export type Validator = {
  readonly name: string;
  /** Problems, each of the form `<what>: expected <form>, got <value>`; none if it passes. */
  check(candidate: Candidate): Promise<readonly string[]>;
};

/** A validator of single files: `problemOf` throws, or says what is wrong with one. */
export const ofEachFile = (
  name: string,
  isMeant: (path: string) => boolean,
  problemOf: (entry: FileEntry, path: string) => string | undefined,
): Validator => ({
  name,
  check: async ({ files }) =>
    [...files].flatMap(([path, entry]) => {
      if (!isMeant(path)) return [];
      const problem = problemOf(entry, path);
      return problem === undefined ? [] : [`${path}: ${problem}`];
    }),
});

/** Text of a file; throws where its bytes are not UTF-8. */
export function textOf({ content }: FileEntry): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(content);
}

export const firstLineOf = (error: unknown): string => (error as Error).message.split("\n", 1)[0]!.trim();
