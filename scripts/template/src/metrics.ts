// The metrics of new-container: names, meaning and label values.
import { counter, gauge } from "@outrigger/runtime";

export const metrics = {
  requests: counter("new_container_requests_total", "Requests answered, by class of the status.", {
    status: ["2xx", "4xx", "5xx"],
  }),
  refused: counter("new_container_requests_refused_total", "Requests not answered with what they asked, by reason.", {
    reason: ["too_many", "body_too_large", "body_timeout"],
  }),
  active: gauge("new_container_requests_active", "Requests in flight now."),
  filePresent: gauge("new_container_required_file_present", "1 while the file of --require-file is there, else 0."),
} as const;
