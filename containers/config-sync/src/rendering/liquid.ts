// Liquid templates, where one asks for them: a language that was made for templates of others, without code. What a template
// may cost is bounded, it reads no files, and a variable that is not there is an error.
import { Liquid } from "liquidjs";

import type { Environment } from "../deps.ts";

/** How long one template may take. */
const MAX_MS = 1000;

/** Renders a template with variables, `env` to name them all; throws the engine's error, which says line and column. */
export async function renderLiquid(template: string, variables: Environment, maxBytes: number): Promise<string> {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    // Instead of a file system.
    templates: {},
    parseLimit: maxBytes,
    renderLimit: MAX_MS,
    // Of the objects and texts that it makes.
    memoryLimit: 4 * maxBytes,
  });
  const own = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
  return String(await engine.parseAndRender(template, { ...own, env: own }));
}
