"""The client's side of one feed connection, without I/O: bytes in; ticks, events and messages to send out.

Second step of the path of a price, after the frames of the socket. Every packet of every instrument passes
here, so no packet object is built: the readers in `ticks` unpack each kind in place. Does not know sockets,
waiting, sessions or tick sizes. Never raises on bytes: every fault in them is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, KeysView, Mapping
from typing import Final, NamedTuple

from ltp.core.instrument import parse_key, split_key
from ltp.core.ticks.depth import has_depth
from ltp.core.ticks.tick import Tick, TickFields
from ltp.dhan import codes, full_packets, packets, requests
from ltp.dhan.clock import ltt_to_utc
from ltp.dhan.codes import Mode
from ltp.dhan.full_packets import FullPackets
from ltp.dhan.ticks import LAYOUTS, PRICED, QUOTED, READS_LTP, WantedInstrument, read_quote, unpack_priced

# Rupees between these need no further checks: above zero, on the paise grid, exact in float32.
_PLAIN_FROM: Final = 1.0
_PLAIN_BELOW: Final = 100_000.0


# Bytes, gap and size: messages of `size` bytes one after another, each behind the `gap` bytes of a frame's head.
Block = tuple[bytes, int, int]


class Disconnected(NamedTuple):
    """The broker is about to close; `reason` is a key of `codes.REASONS` or an unlisted code."""

    reason: int


Event = Disconnected


class Protocol:
    """One connection's subscriptions and packets.

    After each call of `subscribe`, `unsubscribe` or `disconnect` the caller must send the texts that
    `messages_to_send` returns; after each `receive` it should look at `events`. A new connection needs a new
    Protocol: the broker keeps nothing.

    Attributes:
        wanted: keys to be subscribed.
        sent_in: keys whose subscription was handed out to be sent, each with its mode. Another thread may
            copy this and `seen`.
        seen: keys of which a packet came since. "sent" is not "live": a key that stays out of `seen` never
            ticked.
        priced: those of `seen` with a price.
        counters: faults in the bytes: the kinds of `packets.BadBytes`, "unwanted" (a packet of an instrument
            that is not wanted, such as the last ones after an unsubscription) and "bad_price" (a price that
            is never shown; 0 is not counted, an untraded instrument has it).
    """

    def __init__(self, mode: Mode) -> None:
        self.wanted: set[str] = set()
        self.sent_in: dict[str, Mode] = {}
        self.seen: set[str] = set()
        self.priced: set[str] = set()
        self.counters: Counter[str] = Counter()
        self._mode: Mode = mode
        self.full_packets = FullPackets()
        self._deepened: frozenset[str] = frozenset()  # keys in full mode for their depth
        self._modes: Mapping[str, Mode] = {}  # of keys that have one of their own
        self._instruments: dict[int, WantedInstrument] = {}  # by segment | security id << 8, as in the header
        # By size of a message that is one quote: the instruments of `priced` with two decimals, by the whole
        # header of such a packet. A header found here is intact, and its instrument already in `priced`.
        self._known: dict[int, dict[int, WantedInstrument]] = {size: {} for size in PRICED}
        # Keys to compare in `wanted` and `sent_in`, in the order of the calls.
        self._changed: dict[str, None] = {}
        self._disconnect = False
        self._events: list[Event] = []

    @property
    def sent(self) -> KeysView[str]:
        return self.sent_in.keys()

    def subscribe(self, keys: Iterable[str]) -> None:
        """Add `keys` to `wanted`, in this order; those already there are left alone.

        Raises:
            InputError: a key is malformed; nothing has changed then.
        """
        for key in [parse_key(key) for key in keys]:
            if key not in self.wanted:
                self.wanted.add(key)
                self._instruments[_address(key)] = WantedInstrument(key)
                self._changed[key] = None

    def unsubscribe(self, keys: Iterable[str]) -> None:
        """Take `keys` out of `wanted`; others are left alone.

        Their packets that are still on the way are dropped and counted.
        """
        for key in keys:
            if key in self.wanted:
                self.wanted.discard(key)
                self.priced.discard(key)
                self._unsee(key)
                del self._instruments[_address(key)]
                self._changed[key] = None

    def deepen(self, keys: Iterable[str]) -> list[str]:
        """Set the keys that are subscribed in full mode, and whose newest packet `full_packets` keeps.

        Wanted keys that are no longer among them go back to their mode. An index is left out.
        Returns:
            The keys whose subscription changes with the next messages; until then they are not `seen`.
        """
        deep = frozenset(key for key in keys if has_depth(key))
        self.full_packets.want({_address(key): key for key in deep})
        before, self._deepened = self._deepened, deep
        return self._switch(before ^ deep)

    def set_modes(self, modes: Mapping[str, Mode]) -> list[str]:
        """Set the modes of keys that have one of their own; for its depth a key is in full mode all the same.

        Returns:
            As `deepen`.
        """
        before, self._modes = self._modes, modes
        return self._switch(before.keys() | modes.keys())

    def ask_again(self, keys: Iterable[str]) -> None:
        """Queue the subscription of those of `keys` that were sent once more: it may have been lost."""
        lost = {key: None for key in keys if key in self.sent_in}
        for key in lost:
            del self.sent_in[key]
        self._changed.update(lost)

    def disconnect(self) -> None:
        """Queue the message that ends the session, behind everything else."""
        self._disconnect = True

    def messages_to_send(self) -> list[str]:
        """Return and forget the queued texts.

        A key that was subscribed and given up again since the last call, or the reverse, is in none of them.
        """
        more = [key for key in self._changed if key in self.wanted and key not in self.sent]
        less = [key for key in self._changed if key in self.sent and key not in self.wanted]
        switched = [key for key in self._changed if key in self.wanted and self._is_in_other_mode(key)]
        self._changed.clear()
        # Unsubscriptions first: before them a full connection has no room for new instruments, and it is not
        # known what the broker does with an instrument in two modes.
        messages = requests.by_mode(
            requests.unsubscribe, {key: self.sent_in.pop(key) for key in less + switched}
        )
        new = {key: self._mode_of(key) for key in more + switched}
        self.sent_in.update(new)
        messages += requests.by_mode(requests.subscribe, new)
        if self._disconnect:
            self._disconnect = False
            messages.append(requests.disconnect())
        return messages

    def events(self) -> list[Event]:
        """Return and forget the events of the connection itself."""
        events, self._events = self._events, []
        return events

    def newest(self) -> list[TickFields]:
        """Return the newest tick with a price of each wanted instrument that has had one."""
        return [each.newest for each in self._instruments.values() if each.newest is not None]

    def receive(
        self, messages: Iterable[bytes | memoryview | Block], received_at_us: int
    ) -> list[TickFields]:
        """Read binary WebSocket messages, each of any number of packets.

        Args:
            messages: in the order of their arrival; nothing of them is kept.
            received_at_us: microseconds since the epoch, for `Tick.received_at`.
        Returns:
            One tick a packet, in order. Packets without a price (open interest, previous close, an untraded
                instrument's) give ticks with `ltp` None.
        """
        ticks: list[TickFields] = []
        for message in messages:
            if not isinstance(message, tuple):
                ticks += self._receive_any(message, received_at_us)
            elif message[2] in PRICED:
                self._receive_quotes(message, received_at_us, ticks)
            else:
                block, gap, size = message
                step = gap + size
                for end in range(step, len(block) + 1, step):
                    ticks += self._receive_any(block[end - size : end], received_at_us)
        return ticks

    def _receive_quotes(self, messages: Block, received_at_us: int, ticks: list[TickFields]) -> None:
        """Read a block of quotes, each message one packet.

        Nearly every message of the feed is a quote of a known instrument: those are read without a call.
        """
        block, gap, size = messages
        append, find = ticks.append, self._known[size].get
        last_ltt, traded_at = 0, ltt_to_utc(0)
        surplus = len(ticks)  # len(ticks) - surplus: how many messages of the block are read
        for header, rupees, ltt, volume, side_bytes in unpack_priced(gap, size)(block):
            instrument = find(header)
            if instrument is None or not _PLAIN_FROM <= rupees < _PLAIN_BELOW:
                end = (len(ticks) - surplus + 1) * (gap + size)
                more = self._receive_any(block[end - size : end], received_at_us)
                surplus += len(more) - 1
                ticks += more
                continue
            if side_bytes != instrument.side_bytes:
                instrument.take_side(side_bytes)
            if ltt != last_ltt:
                last_ltt, traded_at = ltt, ltt_to_utc(ltt)
            ltp = round(rupees * 100) * 100
            key, day, oi = instrument.key, instrument.day, instrument.oi
            instrument.newest = fields = (key, ltp, traded_at, received_at_us, volume, day, oi, "", 0, False)
            append(fields)
        if size == full_packets.SIZE and self.full_packets.wanted:
            self.full_packets.keep(block, gap, received_at_us)

    def _receive_any(self, message: bytes | memoryview, received_at_us: int) -> list[Tick]:
        ticks: list[Tick] = []
        offset, end = 0, len(message)
        if not end:
            self.counters["truncated"] += 1
        while offset < end:
            layout = LAYOUTS.get(message[offset])
            if layout is None or offset + layout[0] > end:
                offset, skipped = packets.skip(message, offset)
                self.counters[skipped.kind] += 1
                continue
            size, code_and_length, unpack, read = layout
            values = unpack(message, offset)
            offset += size
            header = values[0]
            intact = header & 0xFFFFFF == code_and_length
            if not intact:
                self.counters["wrong_length"] += 1
            if read is None:
                # A market status has no payload. Garbage that begins like a disconnect must not end a healthy
                # connection.
                self._events.extend(
                    Disconnected(reason) for reason in values[1:] if intact or reason in codes.REASONS
                )
                continue
            instrument = self._instruments.get(header >> 24)
            if instrument is None:
                self.counters["unwanted"] += 1
                continue
            self.seen.add(instrument.key)
            if size == full_packets.SIZE and self.full_packets.wanted:
                self.full_packets.keep(message[offset - size : offset], 0, received_at_us)
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

    def _switch(self, keys: Iterable[str]) -> list[str]:
        """Queue the change of those of `keys` that were sent in another mode than they should be; return them."""
        switched = sorted(key for key in keys if self._is_in_other_mode(key))
        self._changed.update(dict.fromkeys(switched))
        for key in switched:
            self._unsee(key)
        return switched

    def _unsee(self, key: str) -> None:
        """Let the next packet of a key count as its first: those of known headers are not counted as seen."""
        self.seen.discard(key)
        for code in QUOTED:
            size, code_and_length, _, _ = LAYOUTS[code]
            self._known[size].pop(code_and_length | _address(key) << 24, None)

    def _is_in_other_mode(self, key: str) -> bool:
        return key in self.sent_in and self.sent_in[key] != self._mode_of(key)

    def _mode_of(self, key: str) -> Mode:
        """Return the mode in which a key should be."""
        mode = "full" if key in self._deepened else self._modes.get(key, self._mode)
        # An index has no depth, and it is not known whether the broker sends Full packets of one at all; Quote
        # packets of indices were seen.
        return "quote" if mode == "full" and not has_depth(key) else mode


def _address(key: str) -> int:
    segment, security_id = split_key(key)
    return codes.SEGMENT_NUMBERS[segment] | security_id << 8
