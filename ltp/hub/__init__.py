"""Fan-out inside one web process: relay, board, fragments, views, sockets. Knows neither Redis nor templates."""
