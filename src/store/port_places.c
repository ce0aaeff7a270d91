#include "store/port_places.h"

#include <stdlib.h>

#include "store/query.h"

#define CAPACITY_FIRST 1024

static int compare(const void *a, const void *b)
{
    const struct port_place *first = a;
    const struct port_place *second = b;
    if (first->position != second->position)
        return first->position < second->position ? -1 : 1;
    return first->id < second->id ? -1 : first->id > second->id;
}

static int add(struct port_places *places, size_t *capacity, struct port_place place, struct error *err)
{
    if (places->count == *capacity) {
        size_t more = *capacity ? 2 * *capacity : CAPACITY_FIRST;
        struct port_place *list = realloc(places->list, more * sizeof *list);
        if (!list)
            return error_set(err, EX_OSERR, "out of memory");
        places->list = list;
        *capacity = more;
    }
    places->list[places->count++] = place;
    return 0;
}

int port_places_load(struct database *database, struct port_places *ret, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    size_t capacity = 0;
    *ret = (struct port_places){.list = NULL};
    int r = database_query(database, "SELECT position, id FROM port", &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        struct port_place place = {query_int(query, 0), query_int(query, 1)};
        r = add(ret, &capacity, place, err);
    }
    query_done(query);
    if (r == 0 && ret->count > 0)
        qsort(ret->list, ret->count, sizeof ret->list[0], compare);
    return r;
}

const struct port_place *port_places_find(const struct port_places *places, uint64_t position)
{
    size_t first = 0;
    size_t count = places->count;
    while (count > 0) {
        size_t half = count / 2;
        if (places->list[first + half].position < (int64_t)position) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return places->list + first;
}

void port_places_done(struct port_places *places)
{
    free(places->list);
    *places = (struct port_places){.list = NULL};
}
