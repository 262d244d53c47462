#!/usr/bin/env bash
# A promotion by the seven documented calls, with nothing but curl.
#
#   SERVER=http://127.0.0.1:8080 LOGIN=ann PASSWORD=... \
#   TENANT=123456789 TO_TENANT=987654321 PACKAGE=10000 docs/seed.sh
#
# SERVER     the address of the server that both tenants are on
# LOGIN      who exports from the one and imports into the other
# PASSWORD   the login's password
# TENANT     the source tenant
# TO_TENANT  the target tenant; TENANT if it is not set, and then nothing changes
# PACKAGE    the package's number; 10000 if it is not set
#
# It needs bash, curl 7.76 or later, and python3, which reads the JSON. It stops at the first thing
# that goes wrong, and never imports after a dry run with errors.
set -euo pipefail

: "${SERVER:?}" "${LOGIN:?}" "${PASSWORD:?}" "${TENANT:?}"
TO_TENANT=${TO_TENANT:-$TENANT}
PACKAGE=${PACKAGE:-10000}
export LOGIN PASSWORD

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() { printf '%s\n' "$*" >&2; }

# A call; what the server answers, also if it says no.
call() { curl --silent --show-error --fail-with-body "$@"; }

# A call in the session that was opened. The token stands in no list of processes.
signed() { call --header "@$folder/token" "$@"; }

# A member of the JSON on standard input; an answer without it is told whole.
member() {
  python3 -c '
import json, sys
answer = json.load(sys.stdin)
if sys.argv[1] not in answer:
    sys.exit(json.dumps(answer))
print(answer[sys.argv[1]])' "$1"
}

# Asks an address until the operation there has ended; its last answer, an error if it failed.
wait_for() {
  local answer status
  while :; do
    answer=$(signed "$1") || { say "$answer"; return 1; }
    status=$(member Status <<<"$answer") || return
    case $status in
      COMPLETED) printf '%s' "$answer"; return ;;
      *FAIL* | *ERROR* | *CANCEL* | *ABORT*) say "$status: $answer"; return 1 ;;
    esac
    sleep 1
  done
}

# The totals of a dry run or import; an error if it has errors.
judge() {
  python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(json.dumps(answer["Totals"]))
errors = [error for section in answer["Results"] for error in section["Errors"]]
for warning in [warning for section in answer["Results"] for warning in section["Warnings"]]:
    print("warning:", json.dumps(warning), file=sys.stderr)
for error in errors:
    print("error:", json.dumps(error), file=sys.stderr)
sys.exit(1 if errors or answer["Totals"]["Failed"] else 0)'
}

say "Signing in as $LOGIN"
python3 -c '
import json, os
print(json.dumps({"Login": os.environ["LOGIN"], "Password": os.environ["PASSWORD"]}))' |
  call --data-binary @- \
    "$SERVER/auth/authentication-endpoint/authenticate/token?TENANTID=$TENANT" >"$folder/answer" ||
  { cat "$folder/answer" >&2; exit 1; }
(umask 077 && printf 'Cookie: SMAX_AUTH_TOKEN=%s\n' "$(cat "$folder/answer")" >"$folder/token")

from="$SERVER/rest/$TENANT"
to="$SERVER/rest/$TO_TENANT"
json='Content-Type: application/json'

say "1. Export package $PACKAGE of tenant $TENANT"
export_id=$(signed --header "$json" --data '{}' \
  "$from/dev2prod/export/types/$PACKAGE" | member Id)

say "2. Ask until export $export_id has ended"
answer=$(wait_for "$from/dev2prod/export/$export_id")
file_id=$(member FileId <<<"$answer")
name=$(member PackageBundleName <<<"$answer")

say "3. Download file $file_id: $name"
signed --output "$folder/bundle.zip" "$from/ces/attachment/$file_id"

say "4. Upload it to tenant $TO_TENANT"
file_id=$(signed --form "files[]=@$folder/bundle.zip;type=application/zip" \
  "$to/ces/attachment" | member Id)

say "5. Dry run of file $file_id"
dry_run_id=$(signed --header "$json" --data "{\"FileId\": \"$file_id\"}" \
  "$to/dev2prod/import?dryRun=true" | member Id)

say "6. Ask until dry run $dry_run_id has ended"
answer=$(wait_for "$to/dev2prod/import/$dry_run_id")
judge <<<"$answer"

say "7. Import file $file_id"
import_id=$(signed --header "$json" --data "{\"FileId\": \"$file_id\"}" \
  "$to/dev2prod/import" | member Id)
answer=$(wait_for "$to/dev2prod/import/$import_id")
judge <<<"$answer"
