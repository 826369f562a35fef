"""Fan-out inside one web process: batches from the worker become events for all browsers.

The parts, in the order in which a price passes them; `hub.py` assembles them:

    relay.py            the one subscription; gaps are repaired from the cache
    board.py            the newest value of each instrument, with a rising version (entry.py, changes.py)
    prices.py           quotes for pages and the API, read from the cache where the board cannot vouch
    views.py, view.py   which views wait for an event; one event for all browsers of a view
    fragments.py        cells drawn once per version (column_cache.py, cell_cache.py, slots.py)
    insets.py           markup beside the cells: charts, drawn once for all browsers
    writer.py           the loop that sends (pacer.py: when)
    sockets.py          detached sockets (send.py, ring.py: how; clients.py: quotas of clients)

The life of a stream. `web/live/stream.py` calls Hub.attach; where the socket cannot be detached it calls
Hub.follow, and `follow.py` does all of this as a generator.

    open
      |           hub.py            Hub.refusal                     no quota or room: 503, the page polls
      |           hub.py            Hub.view                        the view of these instruments and columns
      |           hub.py            Hub.attach
      |           descriptor.py     take_over                       the socket leaves its request
      |           sockets.py        Sockets.attach
      v
    first event
      |           view.py           View.first_event                the whole page, or after a reconnect the
      |                                                             changes since Last-Event-ID
      v
    flush  <--------------------------------------------------------------------------------------------+
      |           hub.py            Hub.apply                       a batch arrives                     |
      |           views.py          Views.mark                      views that show its changes wait    |
      |           writer.py         StreamWriter.round              sends to the views that are due     |
      |           view.py           View.flush                      one event for all browsers          |
      |           sockets.py        Sockets.write                                                       |
      |           send.py           Sender.send                     io_uring, or one by one             |
      |                                                                                                 |
      +--- took the whole event ------------------------------------------------------------------------+
      |                                                                                                 |
      +--> slow                                                                                         |
      |           slow_browsers.py  SlowBrowsers.note_short_send    keeps the rest of the torn event    |
      |           sockets.py        Sockets.act_on_reports          the socket takes bytes again        |
      |           slow_browsers.py  SlowBrowsers.resume             sends the rest                      |
      |           view.py           View.catch_up                   one event with all changes missed --+
      |           sockets.py        Sockets.cut_stalled             no event finished in time: closed
      v
    rotation
      |           view.py           View.due_for_rotation           after 15 to 20 minutes
      |           writer.py         StreamWriter.drain              or when the process ends
      v
    farewell
                  view.py           farewell                        `retry:` with the time to reconnect
                  sockets.py        Sockets.send_farewell           never inside a torn event
                  sockets.py        Sockets.close_ended             at the end of the round
"""
