"""On PostgreSQL the tables of bars have a partition a month, named as `ltp.db.bars.partitions` names them. Rows
that are there are copied. SQLite has no partitions, and nothing changes.
"""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_FIRST = date(1970, 1, 1)


def _start(day: date) -> int:
    return (day - _FIRST).days * 86_400 - 19_800  # midnight in India


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for table in ("minute_bars", "five_minute_bars"):
        whole = f"{table}_whole"
        op.execute(f"ALTER TABLE {table} RENAME TO {whole}")
        op.execute(f"ALTER TABLE {whole} RENAME CONSTRAINT pk_{table} TO pk_{whole}")
        op.execute(
            f"CREATE TABLE {table} (LIKE {whole} INCLUDING DEFAULTS, CONSTRAINT pk_{table} "
            "PRIMARY KEY (segment, security_id, start)) PARTITION BY RANGE (start)"
        )
        # The names are those above, so nothing of a user is in these statements.
        days = connection.execute(sa.text(f"SELECT DISTINCT (start + 19800) / 86400 FROM {whole}")).scalars()  # noqa: S608
        for month in sorted({(_FIRST + timedelta(days=day)).replace(day=1) for day in days}):
            following = (month + timedelta(days=31)).replace(day=1)
            op.execute(
                f"CREATE TABLE {table}_{month:%Y_%m} PARTITION OF {table} "
                f"FOR VALUES FROM ({_start(month)}) TO ({_start(following)})"
            )
        op.execute(f"INSERT INTO {table} SELECT * FROM {whole}")  # noqa: S608
        op.execute(f"DROP TABLE {whole}")
