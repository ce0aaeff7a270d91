#include "ideal.h"

#include <math.h>

#define RATE_UNHINDERED_PPS 1e6
#define PROBES_AT_FIRST     16.0 /* in the first round trip; twice as many in each that follows */
#define WRONG_SHARE         1e-6

unsigned ideal_tries(const struct ideal_case *ideal_case)
{
    double arrives = 1 - ideal_case->loss;
    double lost = 1 - arrives * arrives;
    unsigned tries = ideal_case->silent > 0 ? 2 : 1;
    while (ideal_case->answering_share * pow(lost, tries) > WRONG_SHARE)
        tries++;
    return tries;
}

double ideal_seconds(const struct ideal_case *ideal_case)
{
    double rtt = ideal_case->rtt_s, arrives = 1 - ideal_case->loss;
    double rate = ideal_case->bottleneck_pps > 0 ? ideal_case->bottleneck_pps : RATE_UNHINDERED_PPS;
    double tries = ideal_tries(ideal_case);
    double ramp = fmax(0, log2(rate * rtt / PROBES_AT_FIRST));
    double packets = ideal_case->answering / (arrives * arrives) + ideal_case->silent * tries;
    double sending = packets / rate;
    double limited = ideal_case->limited > 0 ? ideal_case->limited / (ideal_case->limiter_pps * arrives) : 0;
    double spread = (tries - 1) * fmax(rtt, ideal_case->burst_s);
    return (ramp + 1) * rtt + fmax(sending, fmax(limited, spread));
}
