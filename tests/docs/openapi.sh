#!/usr/bin/env bash
# Whether docs/openapi.yaml is an OpenAPI document, as a validator from npm has it.
# The validator comes from the npm registry: ./dev openapi calls this, ./dev test does not.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Of the major version that Debian 12's Node.js still runs.
readonly validator=@redocly/cli@1.34.5

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
# `/kv/` is the path of many keys, and not that of the empty one.
exec npx --yes "$validator" lint --skip-rule no-path-trailing-slash docs/openapi.yaml
