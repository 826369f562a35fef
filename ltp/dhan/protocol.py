"""The client's side of one feed connection, without I/O: bytes in; ticks, events and messages to send out.

Second step of the path of a price, after `packets`. Every packet of every instrument comes through here, so
none is built: `ticks` has what reads each kind where it lies. Does not know sockets, waiting, sessions or
tick sizes, and never raises on bytes: what is wrong with them is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from ltp.core.instrument import parse_key, split_key
from ltp.core.ticks.tick import Tick, TickFields
from ltp.dhan import codes, packets, requests
from ltp.dhan.clock import ltt_to_utc
from ltp.dhan.codes import Mode
from ltp.dhan.ticks import LAYOUTS, PRICED, QUOTED, READS_LTP, WantedInstrument, read_quote, unpack_priced

# Prices between these need no second look: on the paise grid, exact in float32, above nothing.
_PLAIN_FROM: Final = 1.0
_PLAIN_BELOW: Final = 100_000.0


class Disconnected(NamedTuple):
    """The broker said that it is about to close, and why: a key of `codes.REASONS` or something new."""

    reason: int


Event = Disconnected


class MessageBlock(NamedTuple):
    """Messages of `size` bytes as they lay in the socket's bytes, since cutting them costs time: one after
    another in `block`, each behind `gap` bytes that are none of its own.
    """

    block: bytes
    gap: int
    size: int

    def messages(self) -> Iterator[bytes]:
        step = self.gap + self.size
        return (self.block[end - self.size : end] for end in range(step, len(self.block) + 1, step))


class Protocol:
    """One connection's subscriptions and packets.

    After each call of `subscribe`, `unsubscribe` or `disconnect` the caller must send what `messages_to_send`
    returns; after each `receive` it should look at `events`. A new connection needs a new Protocol: the
    broker keeps nothing.

    Attributes:
        wanted: keys asked for. sent: keys whose subscription was handed out to be sent. seen: keys the broker
            has spoken of
            since. priced: those of `seen` with a price. "sent" is not "live": what stays out of `seen` never
                ticked.
        counters: what was wrong with the bytes: the kinds of `packets.Fault`, "unwanted" (packets of
            instruments nobody
            asked for, such as the last ones after an unsubscription) and "bad_price" (a price that is never
                shown; 0 is none of these, an untraded instrument has it).
    """

    def __init__(self, mode: Mode) -> None:
        self.wanted: set[str] = set()
        self.sent: set[str] = set()
        self.seen: set[str] = set()
        self.priced: set[str] = set()
        self.counters: Counter[str] = Counter()
        self._mode: Mode = mode
        self._instruments: dict[int, WantedInstrument] = {}  # by segment | security id << 8, as in the header
        # By size of a message that is one quote: those in `priced` whose prices have two decimals, by the
        # whole header of such a packet. What is found here is intact, wanted and nothing new.
        self._known: dict[int, dict[int, WantedInstrument]] = {size: {} for size in PRICED}
        self._changed: dict[str, None] = {}  # keys to compare in `wanted` and `sent`, in the order of asking
        self._disconnect = False
        self._events: list[Event] = []

    def subscribe(self, keys: Iterable[str]) -> None:
        """Want `keys` too, in this order; those already wanted are left alone.

        Raises:
            InputError: a key is malformed; nothing has changed then.
        """
        for key in [parse_key(key) for key in keys]:
            if key not in self.wanted:
                self.wanted.add(key)
                self._instruments[_address(key)] = WantedInstrument(key)
                self._changed[key] = None

    def unsubscribe(self, keys: Iterable[str]) -> None:
        """Want `keys` no more; those not wanted are left alone. Packets still on their way are dropped and
        counted.
        """
        for key in keys:
            if key in self.wanted:
                self.wanted.discard(key)
                self.seen.discard(key)
                self.priced.discard(key)
                del self._instruments[_address(key)]
                for code in QUOTED:
                    size, code_and_length, _, _ = LAYOUTS[code]
                    self._known[size].pop(code_and_length | _address(key) << 24, None)
                self._changed[key] = None

    def ask_again(self, keys: Iterable[str]) -> None:
        """Queue the subscription of those of `keys` that were sent once more: it may have been lost on its
        way.
        """
        lost = [key for key in keys if key in self.sent]
        self.sent.difference_update(lost)
        self._changed.update(dict.fromkeys(lost))

    def disconnect(self) -> None:
        """Queue the message that ends the session, behind everything else."""
        self._disconnect = True

    def messages_to_send(self) -> list[str]:
        """Return and forget the queued texts. What was wanted and given up, or the reverse, in between is not
        mentioned.
        """
        more = [key for key in self._changed if key in self.wanted and key not in self.sent]
        less = [key for key in self._changed if key in self.sent and key not in self.wanted]
        self._changed.clear()
        self.sent.difference_update(less)
        self.sent.update(more)
        # What is given up first: a full connection has no room for the new before.
        messages = self._by_mode(requests.unsubscribe, less) + self._by_mode(requests.subscribe, more)
        if self._disconnect:
            self._disconnect = False
            messages.append(requests.disconnect())
        return messages

    def events(self) -> list[Event]:
        """Return and forget what the broker said of the connection itself."""
        events, self._events = self._events, []
        return events

    def newest(self) -> list[TickFields]:
        """Return the newest tick with a price of each wanted instrument that has had one."""
        return [
            instrument.newest for instrument in self._instruments.values() if instrument.newest is not None
        ]

    def receive(
        self, messages: Iterable[bytes | memoryview | MessageBlock], received_at_us: int
    ) -> list[TickFields]:
        """Read binary WebSocket messages, each of any number of packets.

        Args:
            messages: as they came; nothing of them is kept.
            received_at_us: microseconds since the epoch, for `Tick.received_at`.
        Returns:
            One tick a packet, in order. Packets without a price (open interest, previous close, an untraded
                instrument's) give ticks with `ltp` None.
        """
        ticks: list[TickFields] = []
        for message in messages:
            if not isinstance(message, MessageBlock):
                ticks += self._receive_any(message, received_at_us)
            elif message.size in PRICED:
                self._receive_quotes(message, received_at_us, ticks)
            else:
                for each in message.messages():
                    ticks += self._receive_any(each, received_at_us)
        return ticks

    def _receive_quotes(self, run: MessageBlock, received_at_us: int, ticks: list[TickFields]) -> None:
        """Nearly every message is one more quote of an instrument like all others: worth a path without a
        call.
        """
        tell, find = ticks.append, self._known[run.size].get
        last_ltt, traded_at = 0, ltt_to_utc(0)
        before = len(
            ticks
        )  # of the messages that gave no tick or several, so that the place of one can be told
        for header, rupees, ltt, volume, side_bytes in unpack_priced(run.gap, run.size)(run.block):
            instrument = find(header)
            if instrument is None or not _PLAIN_FROM <= rupees < _PLAIN_BELOW:
                end = (len(ticks) - before + 1) * (run.gap + run.size)
                more = self._receive_any(run.block[end - run.size : end], received_at_us)
                before += len(more) - 1
                ticks += more
                continue
            if side_bytes != instrument.side_bytes:
                instrument.take_side(side_bytes)
            if ltt != last_ltt:
                last_ltt, traded_at = ltt, ltt_to_utc(ltt)
            ltp = round(rupees * 100) * 100
            key, day, oi = instrument.key, instrument.day, instrument.oi
            instrument.newest = said = (key, ltp, traded_at, received_at_us, volume, day, oi, "", 0, False)
            tell(said)

    def _receive_any(self, message: bytes | memoryview, received_at_us: int) -> list[Tick]:
        ticks: list[Tick] = []
        offset, end = 0, len(message)
        if not end:
            self.counters["truncated"] += 1
        while offset < end:
            layout = LAYOUTS.get(message[offset])
            if layout is None or offset + layout[0] > end:
                offset, fault = packets.skip(message, offset)
                self.counters[fault.kind] += 1
                continue
            size, code_and_length, unpack, read = layout
            values = unpack(message, offset)
            offset += size
            header = values[0]
            intact = header & 0xFFFFFF == code_and_length
            if not intact:
                self.counters["wrong_length"] += 1
            if read is None:
                # A market status has nothing to say. Garbage that begins like a disconnect must not end a
                # healthy connection.
                self._events.extend(
                    Disconnected(reason) for reason in values[1:] if intact or reason in codes.REASONS
                )
                continue
            instrument = self._instruments.get(header >> 24)
            if instrument is None:
                self.counters["unwanted"] += 1
                continue
            self.seen.add(instrument.key)
            tick = read(instrument, values, received_at_us)
            if tick is None or (tick.ltp is None and read in READS_LTP and values[1]):
                self.counters["bad_price"] += 1
            if tick is None:
                continue
            ticks.append(tick)
            if tick.ltp is not None:
                instrument.newest = tick
                self.priced.add(instrument.key)
                if intact and read is read_quote and not instrument.currency:
                    self._known[size][header] = instrument
        return ticks

    def _by_mode(self, write: Callable[[Iterable[str], Mode], list[str]], keys: list[str]) -> list[str]:
        # An index has no depth, and nobody knows whether the broker answers Full for one at all; Quote is
        # known to tick.
        if self._mode != "full":
            return write(keys, self._mode)
        indices = [key for key in keys if key.startswith("IDX_I:")]
        others = [key for key in keys if not key.startswith("IDX_I:")]
        return write(indices, "quote") + write(others, "full")


def _address(key: str) -> int:
    segment, security_id = split_key(key)
    return codes.SEGMENT_NUMBERS[segment] | security_id << 8
