// The demonstration container as a process.
import { run } from "../src/index.ts";
import { demo } from "./demo.ts";

await run(demo, import.meta.url);
