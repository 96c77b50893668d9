// First of all: what is loaded after it lets the heap grow.
import "@outrigger/runtime/small-heap";
import { run } from "@outrigger/runtime";

import { container } from "./container.ts";

await run(container, import.meta.url);
