# Sourced by scripts/test: runs tools, keeps their output in a file, shows it when something failed, and counts.
passed=0
failed=0
report="$(mktemp -d)"
trap 'rm -rf "$report"' EXIT

add() { passed=$((passed + $1)); failed=$((failed + $2)); }

# A tool that passes or fails as a whole: check NAME COMMAND...
check() {
  local name="$1" log="$report/${1//\//-}" start=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    add 1 0
    say "ok      $name ($((SECONDS - start)) s)"
  else
    add 0 1
    say "FAILED  $name ($((SECONDS - start)) s)"
    cat "$log" >&2
  fi
}

# What a line of a log says about a word: number_before LOG 'passed' finds 12 in "12 passed, 1 failed".
number_before() { grep -aoE "[0-9]+ $2" "$1" | tail -1 | grep -oE '^[0-9]+' || echo 0; }

# tap ends with "# { total: 9, pass: 8, fail: 1, skip: 0 }".
count_tap() {
  local name="$1" start=$SECONDS status pass fail
  shift
  "$@" >"$report/$name" 2>&1
  status=$?
  local sum
  sum="$(grep -aE '^# \{ total: ' "$report/$name" | tail -1)"
  pass="$(grep -oE 'pass: [0-9]+' <<<"$sum" | grep -oE '[0-9]+' || echo 0)"
  fail="$(grep -oE 'fail: [0-9]+' <<<"$sum" | grep -oE '[0-9]+' || echo 0)"
  judge "$name" "$status" "$pass" "$fail" "$((SECONDS - start))"
}

# pytest ends with "3 failed, 20 passed, 1 error in 4.56s".
count_pytest() {
  local name="$1" start=$SECONDS status pass fail errors
  shift
  "$@" >"$report/$name" 2>&1
  status=$?
  pass="$(number_before "$report/$name" passed)"
  fail="$(number_before "$report/$name" failed)"
  errors="$(number_before "$report/$name" 'errors?')"
  judge "$name" "$status" "$pass" "$((fail + errors))" "$((SECONDS - start))"
}

# A tool that fails without a failed test failed all the same.
judge() {
  local name="$1" status="$2" pass="$3" fail="$4" seconds="$5"
  if [ "$status" -ne 0 ] && [ "$fail" -eq 0 ]; then fail=1; fi
  add "$pass" "$fail"
  if [ "$fail" -eq 0 ]; then
    say "ok      $name: $pass ($seconds s)"
  else
    say "FAILED  $name: $fail of $((pass + fail)) ($seconds s)"
    if [ "$name" = tap ]; then tap_failures "$report/$name" >&2; else tail -150 "$report/$name" >&2; fi
  fi
}

# Of a TAP log, the failed points with what came after each.
tap_failures() { grep -a -E -A 40 '^ *not ok' "$1" | head -400; }

finish() {
  say ""
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
