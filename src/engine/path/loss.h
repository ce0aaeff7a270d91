/* Silence weighed (design decision 7): a port silent after k valid tries is wrongly taken for silent with
 * probability a p^k / (a p^k + 1 - a), where a is the share of the host's ports that answer and p the chance
 * that a try is lost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Tries whose fate is known: those that were answered in the end, or soundings. Of a block's probes those
 * that are answered early come before those that were lost more often: none may be forgotten before the block
 * is over. */
struct loss {
    double tries;
    double lost;
};

/* Tries that were to be answered, and how many of them were not. */
void loss_count(struct loss *loss, double tries, double lost);

/* A path changes: all before counts for so many tries at most from now on. */
void loss_forget(struct loss *loss, double tries_kept);

/* p of a path, with a prior of 1 in 100 that weighs as much as 20 tries; and p of a host, whose prior is its
 * path's p. */
double loss_of_path(const struct loss *path);
double loss_of_host(double path_loss, const struct loss *host);

/* The chance that a port which was silent to so many valid tries answers all the same. */
double loss_silence_risk(double p, uint64_t answered, uint64_t asked, unsigned tries);

/* Is silence after `tries` valid tries certain enough?
 *   p         from loss_of_host
 *   answered  ports of the host that answered, of `asked`
 *   risk      the chance of a wrong state that is accepted, e.g. 1e-6 */
bool loss_silence_is_certain(double p, uint64_t answered, uint64_t asked, unsigned tries, double risk);
