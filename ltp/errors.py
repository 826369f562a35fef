"""Every failure that is raised on purpose.

    LTPError
    ├── ConfigError         a setting is not accepted
    ├── InputError          a value of a user or a script is not accepted
    │   └── CriterionError  a screen's criterion is not accepted, at one character
    ├── NotFoundError       there is no such page, screener or instrument
    ├── ConflictError       somebody else has changed the same thing meanwhile
    ├── NotReadError        it has not been read since the start; try again in a moment
    ├── LimitError          a bound of ours is reached; try again later
    ├── FeedError           the broker's side
    │   ├── FeedAuthError   the broker refuses our credentials
    │   └── FeedClosed      the connection ended
    ├── StoreError          Redis cannot be read or written
    ├── DatabaseError       SQL cannot be read or written
    └── LeaseLost           another worker holds the feed

Driver exceptions are translated once, at the edge of the layer that uses the driver. A retry loop reads
`permanent` and nothing else.
"""

from __future__ import annotations


class LTPError(Exception):
    """Root of the tree. `permanent`: trying the same thing again cannot help."""

    permanent: bool = False


class ConfigError(LTPError):
    permanent = True

    def __init__(self, variable: str, value: str, accepted: str) -> None:
        """`value` must already be masked when the variable is a secret."""
        self.variable, self.value, self.accepted = variable, value, accepted
        super().__init__(f"{variable}={value!r} is not accepted: {accepted}")


def shortened(value: str) -> str:
    """Return a refused value as errors show it: at most 80 characters."""
    return value if len(value) <= 80 else value[:77] + "..."


class InputError(LTPError):
    permanent = True

    def __init__(self, where: str, value: str, accepted: str) -> None:
        """`where` names the parameter, field or line; `value` is shortened here to 80 characters."""
        self.where, self.value, self.accepted = where, shortened(value), accepted
        super().__init__(f"{where}: {self.value!r} is not accepted; {accepted}")


class CriterionError(InputError):
    """`text`: the whole criterion. `at`: the place of the character, counted from 0 (its length: the end)."""

    _AROUND = 30

    def __init__(self, where: str, text: str, at: int, accepted: str) -> None:
        self.text, self.at = text, at
        super().__init__(f"{where}, character {at + 1}", text[at : at + 20] or "the end", accepted)

    def caret(self) -> str:
        """Return two lines of fixed-width text: the criterion, cut around the place, and a ^ below it."""
        start = max(0, self.at - self._AROUND)
        line = "".join(c if c.isprintable() else "?" for c in self.text[start : self.at + self._AROUND])
        before = "..." if start else ""
        after = "..." if self.at + self._AROUND < len(self.text) else ""
        return f"{before}{line}{after}\n{' ' * (len(before) + self.at - start)}^"


class NotFoundError(LTPError):
    permanent = True

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"There is no {kind} called {name[:80]!r}")


class ConflictError(LTPError):
    """The change was not made, because it would undo that of somebody else."""

    permanent = True


class NotReadError(LTPError):
    retry_after_s = 2

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} not been read since the start; try again in {self.retry_after_s} s")


class LimitError(LTPError):
    def __init__(self, things: str, limit: int, retry_after_s: int) -> None:
        self.things, self.limit, self.retry_after_s = things, limit, retry_after_s
        super().__init__(f"The limit of {limit} {things} is reached; try again in {retry_after_s} s")


class FeedError(LTPError):
    """`code` is the broker's number (disconnect code or HTTP status), 0 when there was none.

    `retry_after_s`: seconds the broker asked us to stay away, 0 when it named none.
    """

    def __init__(
        self, sentence: str, code: int = 0, *, permanent: bool = False, retry_after_s: float = 0.0
    ) -> None:
        self.code, self.permanent, self.retry_after_s = code, permanent, retry_after_s
        super().__init__(sentence)


class FeedAuthError(FeedError):
    pass


class FeedClosed(FeedError):
    pass


class StoreError(LTPError):
    """Redis did not carry out a command. The address in the sentence never carries a password.

    `permanent` where waiting cannot help: a wrong password, a missing right, a Cluster.
    """

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(sentence)


class DatabaseError(LTPError):
    """`permanent` where waiting cannot help: a wrong password, a missing right, a newer schema."""

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(sentence)


class LeaseLost(LTPError):
    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"Another worker holds the feed: {holder}")
