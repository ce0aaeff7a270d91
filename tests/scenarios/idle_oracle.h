/* How long an idle scan takes somebody who knows every packet that the zombie sends by itself, and when: for
 * him counts are exact. He has no other advantage: the same rate, the same ways and losses, a lag that he
 * must find, and the same questions before he begins. What he does is written down in idle_oracle.c as sums,
 * from the parameters of the scene alone. */
#pragma once

#include "idle_scene.h"

/* In seconds, expected. */
double idle_oracle_s(const struct idle_scene *scene);
