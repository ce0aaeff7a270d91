#include "report/report.h"

void report_end_account(struct report_end *end, const uint64_t values[static END_VALUE_COUNT])
{
    end->tries = values[END_TRIES];
    end->tries_lost = values[END_TRIES_LOST];
    end->hosts_limited = values[END_HOSTS_LIMITED];
    end->ports_capped = values[END_PORTS_CAPPED];
    end->conflicts = values[END_CONFLICTS];
    end->doubt = (double)values[END_DOUBT] / 1e6;
}
