/* Stores as fuzz targets are given them: a file of SQLite's, or, unless the input begins as one, rows that
 * are put into a new store: a byte for the statement, then its values as take_number(), take_text() and
 * take_blob() say. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "store/database.h"

#define STORE_PATH_MAX 64

/* In memory, where a sync costs nothing. */
struct store_place {
    char directory[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
};

/* The values of each statement: Number, Text, text Or nothing, Blob. */
static const char *const shapes[STORE_STATEMENT_COUNT] = {
    [STORE_SCAN] = "TTTBTNNNNNTN",
    [STORE_SCAN_STATE] = "NTNNNNNNNNNN",
    [STORE_TARGET] = "TT",
    [STORE_ASKED] = "NTNNT",
    [STORE_NAME] = "TT",
    [STORE_EXCLUDED] = "TT",
    [STORE_EXCLUDED_FORGET] = "",
    [STORE_HOST] = "NTTNTNOOOONNNNNNNNN",
    [STORE_HOST_UNFOLD] = "N",
    [STORE_PORT] = "TNNTTNNNNONNB",
    [STORE_CONFIRMATION] = "NTNT",
    [STORE_PORTS_FORGET] = "",
    [STORE_CONFIRMATIONS_FORGET] = "",
    [STORE_FOLDED] = "NNTTNNNONNNB",
    [STORE_DOWN] = "NNTN",
    [STORE_BLOCK] = "NNNN",
    [STORE_BLOCK_HOSTS] = "NNN",
    [STORE_BLOCK_VOID] = "NNN",
    [STORE_BLOCK_UNVOID] = "N",
    [STORE_BLOCK_FORGET] = "N",
    [STORE_BLOCK_FORGET_HOSTS] = "N",
    [STORE_BLOCKS_FORGET] = "",
    [STORE_BLOCKS_FORGET_HOSTS] = "",
    [STORE_BLOCKS_UNVOID] = "",
    [STORE_COVERAGE] = "TN",
    [STORE_EVENT] = "NTONN",
};

/* Words that a store knows, by the byte that stands for them; make_corpus.py has the same list. */
static const char *const words[] = {
    "running",
    "stopped",
    "complete",
    "scanning",
    "done",
    "unfinished",
    "timed out",
    "tcp",
    "udp",
    "sctp",
    "ip",
    "unknown",
    "open",
    "closed",
    "filtered",
    "unfiltered",
    "open|filtered",
    "closed|filtered",
    "syn-ack",
    "reset",
    "no-response",
    "port-unreach",
    "host-unreach",
    "echo-reply",
    "198.18.0.0",
    "198.18.0.1",
    "198.18.0.2",
    "198.18.0.3",
    "198.18.255.255",
    "203.0.113.9",
    "2001:db8::",
    "2001:db8::ff",
    "fe80::1%1",
    "02:00:00:00:00:01",
    "host.example",
    "started",
    "confirmed",
};

#define WORD_COUNT   (sizeof words / sizeof words[0])
#define TEXT_NOTHING 0xff

/* A byte is itself, but for the last ones. */
static inline int64_t take_number(struct reader *in)
{
    static const int64_t extremes[] = {
        -1,         INT64_MIN,  INT64_MAX,        INT32_MAX,
        UINT32_MAX, UINT16_MAX, INT64_C(1) << 20, INT64_C(1767323045000000000)};
    uint8_t byte = read_u8(in);
    return byte < 0xf8 ? byte : extremes[byte - 0xf8];
}

/* A byte is one of the words, or else tells how many bytes follow. */
static inline void take_text(struct reader *in, struct batch *batch, bool or_nothing)
{
    char text[256] = "";
    uint8_t byte = read_u8(in);
    if (or_nothing && byte == TEXT_NOTHING) {
        batch_null(batch);
    } else if (byte < WORD_COUNT) {
        batch_text(batch, words[byte]);
    } else {
        size_t len = byte - WORD_COUNT;
        if (len > reader_left(in))
            len = reader_left(in);
        memcpy(text, read_span(in, len), len);
        batch_text(batch, text);
    }
}

/* A byte tells how many follow. */
static inline void take_blob(struct reader *in, struct batch *batch)
{
    size_t len = read_u8(in);
    if (len > reader_left(in))
        len = reader_left(in);
    const uint8_t *bytes = read_span(in, len);
    batch_blob(batch, bytes, len);
}

static inline void take_rows(struct reader *in, struct batch *batch)
{
    while (reader_left(in) > 0) {
        enum store_statement statement = read_u8(in) % STORE_STATEMENT_COUNT;
        batch_row(batch, statement);
        for (const char *shape = shapes[statement]; *shape; shape++) {
            if (*shape == 'N')
                batch_int(batch, take_number(in));
            else if (*shape == 'B')
                take_blob(in, batch);
            else
                take_text(in, batch, *shape == 'O');
        }
    }
}

/* False: SQLite did not take these rows. */
static inline bool write_rows(const char *path, const uint8_t *data, size_t size)
{
    struct database *database = NULL;
    const struct batch nothing = {.bytes = NULL};
    struct batch batch = {.bytes = NULL};
    struct reader in = reader_over(data, size);
    int r = database_open(path, DATABASE_CREATE, &database, NULL);
    assert(r == 0);
    take_rows(&in, &batch);
    bool written = database_write(database, &nothing, &batch, NULL) == 0;
    batch_done(&batch);
    database_close(database);
    return written;
}

static inline void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert(file);
    size_t written = fwrite(data, 1, size, file);
    assert(written == size);
    fclose(file);
}

/* A place for a store, to be removed. */
static inline void store_place_open(struct store_place *place)
{
    strcpy(place->directory, "/dev/shm/portolan-XXXXXX");
    const char *made = mkdtemp(place->directory);
    assert(made);
    snprintf(place->path, sizeof place->path, "%.40s/store", place->directory);
}

/* Make the store. False: SQLite did not take these rows. */
static inline bool store_place_fill(const struct store_place *place, const uint8_t *data, size_t size)
{
    if (size < 6 || memcmp(data, "SQLite", 6) != 0)
        return write_rows(place->path, data, size);
    write_file(place->path, data, size);
    return true;
}

static inline void store_place_done(const struct store_place *place)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char path[STORE_PATH_MAX];
    for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%.50s%s", place->path, endings[i]);
        unlink(path);
    }
    rmdir(place->directory);
}

/* Let `use` have the store, if there is one. */
static inline void with_store(const uint8_t *data, size_t size, void (*use)(const char *path))
{
    struct store_place place;
    store_place_open(&place);
    if (store_place_fill(&place, data, size))
        use(place.path);
    store_place_done(&place);
}
