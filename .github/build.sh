#!/usr/bin/env bash
# Build the packages into dist/, check them, and try the wheel in a fresh environment.
# The build and check tools come from the locks in requirements/.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/uv"
"$tools/uv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
uv=$tools/uv/bin/uv

rm -rf dist
"$uv" build --quiet --build-constraint requirements/build.txt --require-hashes

"$uv" venv --quiet "$tools/check"
"$uv" pip sync --quiet --require-hashes --python "$tools/check" requirements/release.txt
"$tools/check/bin/twine" check --strict dist/*

"$uv" venv --quiet "$tools/try"
"$uv" pip install --quiet --python "$tools/try" dist/*.whl # like a user, with the newest releases
"$tools/try/bin/tap-pluvo" --version
# Without credentials, discovery uses the documented API, which the wheel must contain.
"$tools/try/bin/tap-pluvo" --discover | "$tools/try/bin/python" -c \
  'import json, sys; print(len(json.load(sys.stdin)["streams"]), "streams")'
