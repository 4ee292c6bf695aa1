"""Runs migrations on the connection that ``bot.store.schema`` hands over."""

from __future__ import annotations

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=lambda obj, name, kind, reflected, compare_to: not reflected or name in metadata.tables,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
