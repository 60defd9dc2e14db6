"""What Alembic runs: the connection comes from migrate.py, nothing from a file."""

from alembic import context

from rfm_backend.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
