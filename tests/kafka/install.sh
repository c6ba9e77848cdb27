#!/bin/sh
# Fetches the jars of Apache Kafka from Maven Central into DIRECTORY (default: target/kafka/libs) for the tests.
# It must never leave half a set behind: the jars land in a directory of their own that is renamed when complete,
# and a stamp inside names the pom they came from, so a second run does nothing and a changed pom fetches again.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
libs=${1:-$here/../../target/kafka/libs}
stamp=$(cksum < "$here/pom.xml")

installed() { [ -f "$libs/.stamp" ] && [ "$(cat "$libs/.stamp")" = "$stamp" ]; }
command -v java > /dev/null || { echo "java is not installed" >&2; exit 3; }
installed && exit 0
command -v mvn > /dev/null || { echo "mvn is not installed" >&2; exit 3; }

mkdir -p "$(dirname "$libs")"
work=$(mktemp -d "$libs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
if ! mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$work/libs" > "$work/log" 2>&1; then
  echo "mvn could not fetch Apache Kafka: $(grep -m1 ERROR "$work/log" | cut -c1-200)" >&2
  exit 4
fi
echo "$stamp" > "$work/libs/.stamp"
chmod 755 "$work/libs"
# Another run may have finished first; what it installed is the same, so either result is right.
installed && exit 0
[ ! -e "$libs" ] || mv "$libs" "$work/old"
mv -T "$work/libs" "$libs" 2> /dev/null || installed
