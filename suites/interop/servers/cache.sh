# Sourced by each server's `start`. Sets `here` (the server's folder), `cache` (where it installs) and helpers that install.
# Nothing is written beside the sources.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
name="$(basename "$here")"
if [ -n "${OAUTHCHECK_CACHE:-}" ]; then
  cache="$OAUTHCHECK_CACHE/interop/$name"
else
  cache="${XDG_CACHE_HOME:-$HOME/.cache}/oauthcheck-interop/$name"
fi
mkdir -p "$cache"

die() { echo "$name: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing: $2"; }

# npm_server copies the Node.js server to the cache and installs exactly what its lock file names.
npm_server() {
  need node "install Node.js 20 or later"
  need npm "install Node.js with npm"
  cp "$here/package.json" "$here/package-lock.json" "$here/server.mjs" "$cache/"
  stamp="$(cat "$cache/package.json" "$cache/package-lock.json" | cksum)"
  if [ "$(cat "$cache/installed" 2>/dev/null)" != "$stamp" ]; then
    (cd "$cache" && npm ci --silent --no-audit --no-fund) >&2 || die "npm ci failed"
    printf '%s\n' "$stamp" >"$cache/installed"
  fi
}

# go_server builds the server's own Go module into the cache.
go_server() {
  need go "see https://go.dev/dl/"
  (cd "$here" && GOWORK=off GOFLAGS=-mod=readonly go build -o "$cache/$name" .) >&2 || die "go build failed"
}
