import { run } from "@outrigger/runtime";

import { container } from "./container.ts";

await run(container, import.meta.url);
