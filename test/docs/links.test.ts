import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

import { repository } from "@outrigger/testing";
import { expect, test } from "vitest";

import { anchorsOf, linksOf } from "./markdown.ts";

const NOT_OURS = new Set(["node_modules", "dist", ".git", ".turbo", ".outrigger"]);
const root = resolve(repository);

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : markdownFiles(join(folder, entry.name));
    return entry.name.endsWith(".md") ? [join(folder, entry.name)] : [];
  });
}

const isRelative = (link: string): boolean => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link);

/** What is wrong with an anchor of an existing file; undefined if nothing is. */
function anchorProblem(file: string, anchor: string): string | undefined {
  if (statSync(file).isDirectory()) return "a folder has no anchors";
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".md")) return anchorsOf(text).has(anchor) ? undefined : "no such heading";
  const line = /^L(\d+)(?:-L(\d+))?$/.exec(anchor);
  if (line === null) return "expected #L<line>";
  return Number(line[2] ?? line[1]) <= text.split("\n").length ? undefined : "no such line";
}

/** What is wrong with a relative link in `file`; undefined if it resolves. */
function linkProblem(file: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#").map(decodeURIComponent);
  // GitHub resolves a leading slash against the repository.
  const target = path === "" ? file : path.startsWith("/") ? join(root, path) : resolve(dirname(file), path);
  if (target !== root && !target.startsWith(root + sep)) return "outside the repository";
  if (!existsSync(target)) return "no such file";
  return anchor === undefined || anchor === "" ? undefined : anchorProblem(target, anchor);
}

const files = markdownFiles(root).map((file) => relative(root, file));

test.each(files)("every relative link in %s resolves", (name) => {
  const file = join(root, name);
  const links = linksOf(readFileSync(file, "utf8")).filter(isRelative);
  const problems = links.map((link) => [link, linkProblem(file, link)]).filter(([, problem]) => problem !== undefined);
  expect(problems).toEqual([]);
});
