/* What tells one scan from another: the plan, and what is asked of each host in which order. */
#include <stdio.h>

#include "cli/job/job.h"

static void add_specs(struct digest *digest, const struct specs *specs)
{
    for (uint32_t i = 0; i < specs->count; i++) {
        uint8_t port[2] = {(uint8_t)(specs->list[i].port >> 8), (uint8_t)specs->list[i].port};
        digest_add_text(digest, specs->list[i].technique->name);
        digest_add(digest, port, sizeof port);
    }
    digest_add(digest, (uint8_t[]){(uint8_t)specs->early_count}, 1);
}

void job_scan_names(const struct job *job, char text[static JOB_SCANS_MAX])
{
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < job->scans.count && len < JOB_SCANS_MAX; i++)
        len += (size_t)snprintf(text + len, JOB_SCANS_MAX - len, "%s%s", i ? " " : "",
                                job->scans.techniques[i]->name);
}

void job_digest(const struct job *job, char text[static DIGEST_TEXT_MAX])
{
    struct digest digest = {{0, 0}};
    digest_add_plan(&digest, &job->plan);
    add_specs(&digest, &job->specs);
    add_specs(&digest, &job->discovery);
    uint8_t rounds = job->timing.scan_delay_ns > 0; /* changes the order in a block */
    digest_add(&digest, &rounds, 1);
    digest_format(&digest, text);
}
