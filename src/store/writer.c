#include "store/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/time.h"

#define WRITER_NICE 10

struct writer {
    struct database *database; /* owned; the thread's while it runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct batch found, state; /* what is being written */
    bool busy;
    bool ending;
    int64_t took_ns;
    struct error error; /* status 0: none yet */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static void write_batch(struct writer *writer)
{
    struct error error = {.status = 0};
    int64_t began_ns = now_ns();
    bool failed = database_write(writer->database, &writer->found, &writer->state, &error) < 0;
    pthread_mutex_lock(&writer->mutex);
    if (failed && writer->error.status == 0)
        writer->error = error;
    writer->took_ns = now_ns() - began_ns;
    writer->busy = false;
    pthread_cond_broadcast(&writer->changed);
}

static void *run(void *context)
{
    struct writer *writer = context;
    setpriority(PRIO_PROCESS, 0, WRITER_NICE); /* of this thread alone; a hint, whose failure does no harm */
    pthread_mutex_lock(&writer->mutex);
    while (writer->busy || !writer->ending) {
        if (!writer->busy) {
            pthread_cond_wait(&writer->changed, &writer->mutex);
            continue;
        }
        pthread_mutex_unlock(&writer->mutex);
        write_batch(writer); /* locks it again */
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

int writer_start(struct database *database, struct writer **ret, struct error *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set(err, EX_OSERR, "out of memory");
    writer->database = database;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, NULL);
    int error = pthread_create(&writer->thread, NULL, run, writer);
    if (error) {
        pthread_mutex_destroy(&writer->mutex);
        pthread_cond_destroy(&writer->changed);
        free(writer);
        return error_set(err, EX_OSERR, "cannot start the thread that writes: %s", strerror(error));
    }
    *ret = writer;
    return 0;
}

bool writer_is_busy(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    bool busy = writer->busy;
    pthread_mutex_unlock(&writer->mutex);
    return busy;
}

/* What was written is empty, and its memory goes round. */
static void exchange(struct batch *written, struct batch *batch)
{
    struct batch empty = *written;
    batch_clear(&empty);
    *written = *batch;
    *batch = empty;
}

void writer_submit(struct writer *writer, struct batch *found, struct batch *state)
{
    pthread_mutex_lock(&writer->mutex);
    exchange(&writer->found, found);
    exchange(&writer->state, state);
    writer->busy = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

int writer_status(struct writer *writer, struct error *err)
{
    pthread_mutex_lock(&writer->mutex);
    struct error error = writer->error;
    pthread_mutex_unlock(&writer->mutex);
    return error.status ? error_set(err, error.status, "%s", error.text) : 0;
}

int64_t writer_took_ns(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    int64_t took_ns = writer->took_ns;
    pthread_mutex_unlock(&writer->mutex);
    return took_ns;
}

int writer_close(struct writer *writer, bool finished, struct error *err)
{
    if (!writer)
        return 0;
    pthread_mutex_lock(&writer->mutex);
    writer->ending = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);

    int r = writer_status(writer, err);
    if (r == 0 && finished)
        r = database_finish(writer->database, err);
    database_close(writer->database);
    batch_done(&writer->found);
    batch_done(&writer->state);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->changed);
    free(writer);
    return r;
}
