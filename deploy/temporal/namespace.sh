#!/bin/sh
# Wait for the server, then make sure that the namespace `default` is there.
set -eu

address=temporal-server:7233
for _ in $(seq 60); do
  temporal operator cluster health --address "$address" && break
  sleep 1
done
temporal operator namespace describe --address "$address" -n default >/dev/null 2>&1 ||
  temporal operator namespace create --address "$address" --retention 7d -n default
