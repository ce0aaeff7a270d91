#include "engine/bounce/judge.h"

#include <stddef.h>
#include <string.h>

static bool says(const struct ftp_reply *reply, const char *words)
{
    return strcasestr(reply->text, words) != NULL;
}

/* Servers that say why, say it in the words of strerror(). */
static bool judge_words(const struct ftp_reply *reply, enum bounce_meaning *ret)
{
    static const struct {
        const char *words;
        enum bounce_meaning meaning;
    } rows[] = {
        {"connection refused", BOUNCE_CLOSED},
        {"timed out", BOUNCE_SILENT},
        {"timeout", BOUNCE_SILENT},
        {"no route to host", BOUNCE_UNREACHABLE},
        {"unreachable", BOUNCE_UNREACHABLE},
        {"permission denied", BOUNCE_REFUSED},
        {"operation not permitted", BOUNCE_REFUSED},
        {"PASV", BOUNCE_REFUSED}, /* "Use PORT or PASV first" */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (says(reply, rows[i].words)) {
            *ret = rows[i].meaning;
            return true;
        }
    }
    return false;
}

/* 425: no data connection. 426: it broke, which it cannot have done before it was there; yet servers that say
 * 150 first use it for one that never was. */
static enum bounce_meaning judge_failure(const struct bounce_asked *asked, const struct ftp_reply *reply,
                                         struct bounce_habits *habits)
{
    enum bounce_meaning meaning;
    if (asked->marked && habits->connects_first)
        return BOUNCE_OPEN;
    if (judge_words(reply, &meaning)) {
        if (meaning == BOUNCE_REFUSED)
            return meaning;
    } else {
        meaning = asked->late ? BOUNCE_DOUBTFUL : BOUNCE_CLOSED;
    }
    habits->connects_at_port = habits->connects_at_port || asked->names_target;
    habits->connects_first = habits->connects_first || !asked->marked;
    return meaning;
}

/* 421: the service ends the connection; some use it for other ends. */
static enum bounce_meaning judge_end(const struct bounce_asked *asked, const struct ftp_reply *reply,
                                     struct bounce_habits *habits)
{
    if (says(reply, "data") && says(reply, "timed out")) {
        habits->connects_at_port = habits->connects_at_port || asked->names_target;
        return BOUNCE_SILENT;
    }
    return says(reply, "reject") ? BOUNCE_REFUSED : BOUNCE_GONE;
}

enum bounce_meaning bounce_judge(const struct bounce_asked *asked, const struct ftp_reply *reply,
                                 struct bounce_habits *habits)
{
    if (reply->code < 200)
        return BOUNCE_WAIT;
    if (reply->code < 300 && !asked->names_target)
        return BOUNCE_OPEN;
    if (reply->code < 300) {
        habits->connects_at_port = habits->connects_at_port || says(reply, "established");
        return habits->connects_at_port ? BOUNCE_OPEN : BOUNCE_ACCEPTED;
    }
    if (reply->code == 425 || reply->code == 426)
        return judge_failure(asked, reply, habits);
    if (reply->code == 421)
        return judge_end(asked, reply, habits);
    if (asked->names_target)
        return BOUNCE_REFUSED;
    if (asked->marked && habits->connects_first)
        return BOUNCE_OPEN;
    bool unknown = reply->code == 500 || reply->code == 502 || reply->code == 504;
    return unknown && !says(reply, "port") ? BOUNCE_NO_COMMAND : BOUNCE_REFUSED;
}
