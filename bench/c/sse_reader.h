// The bytes of one HTTP answer to server-sent events: head, chunks, lines, fields. Keeps no event, only what is asked of it.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_HEAD 40  // enough for a field's name and a number of microseconds

typedef struct {
    const char *key;      // the line that carries the event's instant begins so, such as "id:"
    const char *cell;     // cells with this in their tag carry an instant; NULL when none does
    void (*on_event)(void *client, uint64_t id);
    void (*on_cell)(void *client, uint64_t number);
} sse_rules;

typedef struct {
    int status, chunked, in_body, torn;
    uint64_t body_bytes;
    // private
    char head[LINE_HEAD + 1];
    int line, fields, chunk_state;
    uint64_t chunk_left, id, number;
    int cell_matched, cell_state;
} sse_reader;

enum { CHUNK_SIZE, CHUNK_BODY, CHUNK_END };
enum { CELL_SEEK, CELL_TAG, CELL_NUMBER };

static int sse_begins(const char *line, const char *with) { return !strncmp(line, with, strlen(with)); }

static void sse_head_line(sse_reader *r) {
    if (!r->status && sse_begins(r->head, "HTTP/1.")) r->status = atoi(r->head + 9);
    else if (!strncasecmp(r->head, "Transfer-Encoding: chunked", 26)) r->chunked = 1;
    else if (!r->head[0] || r->head[0] == '\r') r->in_body = 1;
}

static void sse_field_line(sse_reader *r, const sse_rules *rules, void *client) {
    const char *line = r->head;
    if (!line[0] || line[0] == '\r') {
        if (r->fields) rules->on_event(client, r->id);
        r->fields = 0;
        r->id = 0;
        return;
    }
    if (sse_begins(line, rules->key)) {
        const char *digit = line + strlen(rules->key);
        while (*digit == ' ') digit++;
        r->id = strtoull(digit, NULL, 10);
    }
    if (line[0] == ':') return;  // a comment is no event
    // What begins with none of the fields is the rest of an event whose beginning was lost.
    if (!sse_begins(line, "data:") && !sse_begins(line, "id:") && !sse_begins(line, "event:") && !sse_begins(line, "retry:"))
        r->torn++;
    r->fields++;
}

// Calls `on_cell` with the number of each cell: <hx-partial id="volume-NSE_EQ-1">1,23,456</hx-partial>
static void sse_scan_cells(sse_reader *r, const sse_rules *rules, void *client, const char *p, const char *end) {
    for (; p < end; p++) {
        char c = *p;
        if (r->cell_state == CELL_NUMBER) {
            if (c >= '0' && c <= '9') r->number = r->number * 10 + (uint64_t)(c - '0');
            else if (c != ',') {
                if (c == '<') rules->on_cell(client, r->number);
                r->cell_state = CELL_SEEK;
            }
        } else if (r->cell_state == CELL_TAG) {
            if (c == '>') { r->cell_state = CELL_NUMBER; r->number = 0; }
        } else if (c == rules->cell[r->cell_matched]) {
            if (!rules->cell[++r->cell_matched]) { r->cell_matched = 0; r->cell_state = CELL_TAG; }
        } else r->cell_matched = c == rules->cell[0];
    }
}

static void sse_lines(sse_reader *r, const sse_rules *rules, void *client, const char *p, const char *end) {
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
        for (const char *q = p; q < stop && r->line < LINE_HEAD; q++) r->head[r->line++] = *q;
        if (!newline) return;
        r->head[r->line] = 0;
        r->line = 0;
        p = newline + 1;
        sse_field_line(r, rules, client);
    }
}

static void sse_body(sse_reader *r, const sse_rules *rules, void *client, const char *p, const char *end) {
    r->body_bytes += (uint64_t)(end - p);
    if (rules->cell) sse_scan_cells(r, rules, client, p, end);
    sse_lines(r, rules, client, p, end);
}

static void sse_chunks(sse_reader *r, const sse_rules *rules, void *client, const char *p, const char *end) {
    while (p < end) {
        if (r->chunk_state == CHUNK_BODY) {
            uint64_t here = (uint64_t)(end - p) < r->chunk_left ? (uint64_t)(end - p) : r->chunk_left;
            sse_body(r, rules, client, p, p + here);
            p += here;
            r->chunk_left -= here;
            if (!r->chunk_left) r->chunk_state = CHUNK_END;
        } else {
            char c = *p++;
            if (c == '\n') r->chunk_state = r->chunk_state == CHUNK_END ? CHUNK_SIZE : r->chunk_left ? CHUNK_BODY : CHUNK_END;
            else if (r->chunk_state == CHUNK_SIZE && c != '\r')
                r->chunk_left = r->chunk_left * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
    }
}

static void sse_feed(sse_reader *r, const sse_rules *rules, void *client, const char *p, const char *end) {
    while (p < end && !r->in_body) {
        if (*p == '\n') {
            r->head[r->line] = 0;
            r->line = 0;
            sse_head_line(r);
        } else if (r->line < LINE_HEAD) r->head[r->line++] = *p;
        p++;
    }
    if (r->chunked) sse_chunks(r, rules, client, p, end);
    else sse_body(r, rules, client, p, end);
}
