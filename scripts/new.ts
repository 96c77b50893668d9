// What `npm run new <name>` runs: makes a container that works, for its author to change.
import { relative } from "node:path";
import { parseArgs } from "node:util";

import { createContainer, nameProblem } from "./new-container.ts";
import { root } from "./tools.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [name = "", ...more] = positionals;
const problem = more.length > 0 ? `name: expected one, got ${positionals.join(" ")}` : nameProblem(name, root);
if (problem !== undefined) {
  console.error(`${problem}\nusage: npm run new <name>`);
  process.exit(2);
}
for (const file of await createContainer(name, root)) console.log(relative(root, file));
console.log(`
${name} is a whole container: it answers HTTP requests with what it was asked. Next:

  npm install          makes it a part of the workspace
  npm run generate     fills the tables of its README
  npm test             runs its tests, and the conformance tests of every container

Then make it yours: begin at containers/${name}/src/container.ts, and say what it is for in package.json and README.md.`);
