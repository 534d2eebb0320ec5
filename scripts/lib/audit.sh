# Known weaknesses of the npm packages that the product needs when it runs, where the registry answers that question.
# Fails on high and critical; where there is no answer, one line says so.
audit_packages() {
  local report
  report="$(npm audit --omit=dev --json 2>/dev/null)"
  node -e '
    let report;
    try { report = JSON.parse(process.argv[1]); } catch { report = {}; }
    const found = report.metadata?.vulnerabilities;
    if (!found) {
      console.log(`the registry answers no audits here (${report.message ?? "no answer"})`);
      process.exit(0);
    }
    const bad = (found.high ?? 0) + (found.critical ?? 0);
    console.log(`known weaknesses: ${JSON.stringify(found)}`);
    for (const [name, { severity }] of Object.entries(report.vulnerabilities ?? {})) console.log(`  ${severity} ${name}`);
    process.exit(bad > 0 ? 1 : 0);
  ' "$report"
}
