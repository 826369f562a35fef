from __future__ import annotations

from sqlalchemy import Engine

from ltp.db.alerts import leaders
from ltp.db.engine import reading


def test_the_last_one_that_began_leads(engine: Engine) -> None:
    first, second = leaders.begin(engine), leaders.begin(engine)
    with reading(engine) as connection:
        assert [leaders.leads(connection, each) for each in (0, first, second)] == [False, False, True]
