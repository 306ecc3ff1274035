"""What Alembic runs: the revisions, inside the one transaction that `migrate` has opened."""

from alembic import context

from backend.storage.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True)
context.run_migrations()
