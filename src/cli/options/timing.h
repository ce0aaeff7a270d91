/* Timing templates, and what single options change of them. */
#pragma once

#include "cli/options/options.h"
#include "engine/engine.h"

/* The template's numbers, with those that were given on the command line instead. Where two bounds cross, the
 * one that was given moves the other. */
struct timing timing_from(const struct options *options);
