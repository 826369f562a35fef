"""Where Alembic runs the revisions: on the connection, and in the transaction, that `ltp.db.upgrade` opened.

A revision is a file in `versions/`, written by hand beside the change to `ltp/db/schema.py`; a test compares
the two.
"""

from alembic import context

from ltp.db.bars.tables import metadata

# Alembic takes SQLite's DDL for non-transactional; it is transactional here, because `ltp.db.engine` begins
# by itself.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
