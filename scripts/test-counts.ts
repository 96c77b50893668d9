// What a run of the tests came to, by vitest's JSON report and its exit status.

/** The part of vitest's JSON report that matters here. */
export type TestReport = {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

export type TestCounts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/**
 * The counts of a run. A file that failed without a failed test (it did not load, or its set-up failed) counts as one
 * failed test; and so does a run that failed for another reason (an unhandled error, no report), so that a line with
 * `0 failed` never stands for a failed run.
 */
export function countsOf(report: TestReport | undefined, status: number): TestCounts {
  const failures = (report?.testResults ?? []).map(({ status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed").length;
    return status === "failed" ? Math.max(failed, 1) : failed;
  });
  const failed = failures.reduce((sum, count) => sum + count, 0);
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const ranNothing = passed + failed === 0;
  return { passed, failed: failed === 0 && (status !== 0 || ranNothing) ? 1 : failed, skipped };
}

/** `12 passed, 0 failed`, and `, 3 skipped` if there were. */
export function summaryOf({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
