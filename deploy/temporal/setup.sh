#!/bin/sh
# Make the two databases that a Temporal server needs, and bring their schemas up to date.
# Safe to run again: `create` is skipped where the database is there.
set -eu

export SQL_PLUGIN=postgres12 SQL_HOST=postgresql SQL_PORT=5432 SQL_USER=temporal
schemas=/etc/temporal/schema/postgresql/v12

prepare() { # DATABASE SCHEMA_FOLDER
  temporal-sql-tool --database "$1" create || true
  temporal-sql-tool --database "$1" setup-schema --version 0.0 || true
  temporal-sql-tool --database "$1" update-schema --schema-dir "$schemas/$2/versioned"
}

prepare temporal_server temporal
prepare temporal_server_visibility visibility
