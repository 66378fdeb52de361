"""The next version of Nalanda, whose database has one more migration.

Python imports this module at its start, where `PYTHONPATH` has this folder.
"""

from pathlib import Path

from core.adapters.postgres.connections import migrate

migrate.MIGRATIONS.append(Path(__file__).with_name("next.sql"))
