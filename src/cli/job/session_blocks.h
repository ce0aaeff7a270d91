/* Which hosts of an interrupted scan are finished, in flight, or still to come. */
#pragma once

#include "cli/job/session.h"

/* Fills in session->resume and what belongs to it. EX_DATAERR, EX_OSERR. */
int session_blocks_load(struct session *session, struct error *err);
void session_blocks_done(struct engine_resume *resume);
