/* bounce_judge: whatever a server replies, a port is open only after a reply of success or a server's own
 * order of things, a first mark never decides, and what is learned of a server is never unlearned. */
#include "engine/bounce/judge.h"
#include "fuzz.h"

/* One command's replies, as the one who asked goes on from each. */
static bool judge_next(struct bounce_asked *asked, const struct ftp_reply *reply,
                       struct bounce_habits *habits)
{
    const struct bounce_habits before = *habits;
    enum bounce_meaning meaning = bounce_judge(asked, reply, habits);
    assert(meaning >= BOUNCE_WAIT && meaning <= BOUNCE_GONE);
    assert((meaning == BOUNCE_WAIT) == (reply->code < 200));
    assert(habits->connects_at_port >= before.connects_at_port);
    assert(habits->connects_first >= before.connects_first);
    if (meaning == BOUNCE_ACCEPTED)
        assert(asked->names_target && reply->code < 300 && !habits->connects_at_port);
    if (meaning == BOUNCE_OPEN)
        assert(reply->code < 300 || (asked->marked && before.connects_first));
    if (meaning == BOUNCE_CLOSED || meaning == BOUNCE_UNREACHABLE || meaning == BOUNCE_DOUBTFUL)
        assert(reply->code == 425 || reply->code == 426);
    asked->marked = asked->marked || meaning == BOUNCE_WAIT;
    return meaning == BOUNCE_WAIT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct bounce_habits habits = {.connects_at_port = data[0] & 1, .connects_first = data[0] & 2};
    struct bounce_asked asked = {.names_target = data[0] & 4, .late = data[0] & 8};
    struct reader in = reader_over(data + 1, size - 1);
    struct ftp_reader reader = {.len = 0};
    struct ftp_reply reply;
    while (ftp_read(&reader, &in, &reply) == FTP_REPLY)
        if (!judge_next(&asked, &reply, &habits))
            asked = (struct bounce_asked){.names_target = !asked.names_target, .late = asked.late};
    return 0;
}
