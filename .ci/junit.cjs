// Reads JUnit reports with a parser that is not ours and compares what it sees with the JSON report of the same run.
// Usage: node junit.cjs BASE…  (BASE.xml beside BASE.json)
const fs = require("fs");

function count(suites) {
  const seen = { tests: 0, failures: 0, errors: 0, skipped: 0, ids: new Set() };
  for (const suite of suites) {
    for (const test of suite.testcase ?? []) {
      seen.tests++;
      seen.ids.add(test.name);
      if (test.failure?.length) seen.failures++;
      if (test.error?.length) seen.errors++;
      if (test.skipped !== undefined) seen.skipped++;
    }
  }
  return seen;
}

async function main() {
  const { parse } = await import(require.resolve("junit2json"));
  let bad = 0;
  for (const base of process.argv.slice(2)) {
    const junit = await parse(fs.readFileSync(base + ".xml", "utf8"));
    const report = JSON.parse(fs.readFileSync(base + ".json", "utf8"));
    const suites = junit.testsuite ?? [];
    const seen = count(suites);
    const s = report.summary;
    const want = { tests: report.checks.length, failures: s.fail, errors: s.inconclusive, skipped: s.skip };
    for (const [what, n] of Object.entries(want)) {
      if (seen[what] !== n) {
        console.error(`${base}.xml: ${seen[what]} ${what}, but the JSON report has ${n}`);
        bad++;
      }
    }
    for (const what of ["tests", "failures", "errors", "skipped"]) {
      const declared = suites.reduce((sum, suite) => sum + Number(suite[what] ?? 0), 0);
      if (declared !== want[what]) {
        console.error(`${base}.xml: the suites' attributes add up to ${declared} ${what}, but there are ${want[what]}`);
        bad++;
      }
    }
    console.error(`${base}.xml: ${seen.tests} tests, ${seen.failures} failures, ${seen.errors} errors, ${seen.skipped} skipped`);
  }
  process.exit(bad ? 1 : 0);
}

main().catch((err) => { console.error(err); process.exit(1); });
