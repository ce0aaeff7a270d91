/* The engine's own state, shared by its files: intake (hosts in), engine (whose turn it is), sending (what
 * leaves), events and answers (what came back), silence (what it means that nothing did), finish and closing
 * (hosts out), emit (records out). */
#pragma once

#include "base/rand.h"
#include "engine/closing/closing.h"
#include "engine/path/divide.h"
#include "engine/engine.h"
#include "engine/hosts.h"
#include "engine/path/pacer.h"
#include "engine/path/path.h"
#include "engine/answer/provisional.h"
#include "engine/scan_block.h"
#include "engine/closing/speaker.h"

struct flow;  /* engine/answer/flow.h */
struct match; /* engine/answer/match.h */

#define ENGINE_BLOCKS_MAX       1024
#define ENGINE_BLOCK_PROBES_MAX (UINT64_C(1) << 22)
#define ENGINE_BLOCK_HOSTS_MAX  (UINT32_C(1) << 15)
#define ENGINE_HOST_RECORDS     (UINT32_C(1) << 17)
#define ENGINE_PROVISIONAL_MAX  (UINT32_C(1) << 17)

/* Blocks in memory at the same time have at most so many probes and hosts in all: 16 MB of bits, 30 MB of
 * slots; and 150 MB of what the supervisor knows of hosts that are not done. */
#define ENGINE_PROBES_MAX (UINT64_C(1) << 26)
#define ENGINE_HOSTS_MAX  (UINT64_C(3) << 19)

/* Hosts that wait to become a block of one kind. */
struct waiting_room {
    struct waiting_host *hosts; /* owned */
    uint32_t count;
    uint32_t capacity; /* at most this many hosts make a block of this kind */
    uint32_t last; /* so many at the end, sorted, are for the same path; 0: not known since somebody came */
};

/* Hosts are scanned together with others about as slow, so that a slow one delays only its like. */
enum speed_class { SPEED_FAST, SPEED_USUAL, SPEED_SLOW, SPEED_CLASS_COUNT };

/* What the scan knows of itself when it is over: see enum end_value. */
struct account {
    uint64_t tries, tries_lost;
    uint64_t hosts_limited, ports_capped, conflicts;
    double doubt; /* ports */
};

struct engine {
    struct scanner scanner;
    struct engine_config config;
    struct netio *io;
    int64_t now_ns; /* as of this turn, or of the event at hand */

    /* Discovery specs by the kind of host they are for; borrowed from the configuration. */
    struct probe_spec ping_specs[16];
    uint32_t ping_spec_count;
    struct probe_spec neighbor_spec;
    bool has_neighbor_spec;
    uint32_t *spec_of_port
        [PROTOCOL_COUNT]; /* owned: 1 + index of the scan's spec for a port; 0: none; NULL: none */

    uint64_t next_host; /* of the plan, to be taken in */
    struct waiting_room neighbor_room;
    struct waiting_room ping_room;
    struct waiting_room port_rooms[SPEED_CLASS_COUNT];

    struct scan_block *blocks[ENGINE_BLOCKS_MAX]; /* owned; oldest first */
    struct rand turns;                            /* draws whose turn it is */
    unsigned block_count;
    uint32_t next_block_id;
    uint64_t probes_in_blocks, hosts_in_blocks;

    struct host_table hosts;
    struct provisional_table provisional;
    bool errors_tell;        /* an ICMP error of the host tells more of some ports than silence does */
    bool answers_are_prompt; /* stacks answer what is asked, in the order it comes */
    struct rtt_limits rtt_limits;
    struct path paths[PATHS_MAX];
    struct path_part parts[PATHS_MAX]; /* of each path */
    unsigned path_count;

    struct probe_spec *port_specs; /* owned: the scan's, and behind them an echo request for soundings */
    struct pacer pacer;            /* of everything that leaves: --max-rate */
    uint64_t packets_charged;      /* of netio's stats, that the pacer has been charged with */

    struct speakers speakers;
    struct closing closing;
    struct verify verify;

    const struct packet *packet; /* that is being judged; NULL: none */
    uint64_t probes_sent;
    uint64_t answers;
    uint64_t rejected;
    uint64_t hosts_done, hosts_up;
    struct account account;
    uint64_t void_positions; /* sent again because of our own drops */
    uint64_t unsent;
    int last_unsent_error;
    int64_t next_progress_ns;
    int64_t next_timeout_check_ns;
    int64_t next_checkpoint_ns;
    uint64_t told_intake;           /* hosts below were said to be taken in */
    uint64_t again_taken, up_taken; /* of config.resume's hosts */
    size_t lost_block;              /* of its blocks, where looking for lost ones goes on, */
    uint32_t lost_slot;             /* and in that one */
    bool restored;
    bool has_swept; /* a sweep of discovery is over: those it found need not wait for more */

    bool stopping;
    bool over;
};

/* sending.c: packets of a block that may leave now, as its path and the whole scan allow; and when the next
 * may. */
uint32_t allowance_of(struct engine *engine, struct scan_block *scan_block);
int64_t may_send_ns(const struct engine *engine, const struct scan_block *scan_block);
double pace_of(struct engine *engine,
               const struct scan_block *scan_block); /* at most so many packets a second */

/* Send these probes of a block, pending or not, apart from its sweeps. Returns how many of them, from the
 * first on, have left; where that is not all, there was no room at the socket, or the way is not known yet,
 * and the rest is still to be sent. */
struct bits_to_send {
    const uint64_t *bits;
    uint32_t count;
    uint8_t try_number;
    uint16_t source; /* number in the pool; 0: the usual address */
};
uint32_t send_bits(struct engine *engine, struct scan_block *scan_block, const struct bits_to_send *what);

/* So many packets left on the way of this block, apart from its sweeps. */
void count_sent(struct engine *engine, struct scan_block *scan_block, uint32_t sent);

/* So many left, which the way pays for. first_tries: how many of them were the first to their ports */
void spend_on_way(struct engine *engine, struct scan_block *scan_block, uint64_t sent, uint64_t first_tries);

/* The whole scan pays for what netio has sent since the last time, its own packets (ARP) too. */
void charge_pacer(struct engine *engine);

/* intake.c: hosts of the plan become blocks. */
int intake_init(struct engine *engine, struct error *err);
void intake_done(struct engine *engine);
void intake_run(struct engine *engine);
bool intake_is_empty(const struct engine *engine); /* no host is waiting any more */
void intake_restore(struct engine *engine);        /* the blocks of an interrupted scan */
void intake_divide(struct engine *engine, unsigned from,
                   unsigned to); /* hosts that wait for this path are that one's, if they are on it */
void intake_host_is_up(struct scan_block *scan_block,
                       uint32_t slot); /* from discovery: its ports come next */

/* blocks.c: the blocks at work. */
struct scan_block *blocks_make(struct engine *engine, enum block_kind kind, const struct waiting_host *hosts,
                               uint32_t host_count); /* hosts by position; NULL: no memory or room */
struct scan_block *
blocks_make_part(struct engine *engine, const struct waiting_host *hosts,
                 uint32_t host_count); /* likewise, of hosts that leave another block of ports */
struct scan_block *blocks_find(struct engine *engine, uint32_t id); /* NULL: it is over */
void blocks_free(struct engine *engine, unsigned index);
void blocks_drop(struct scan_block *scan_block); /* with its lane, and nothing more */

/* path/paths.c: which way hosts are reached, and how fast. */
unsigned paths_find(struct engine *engine, const struct addr *host); /* index; made if it is new */
void paths_keep_rates(struct engine *engine);
void paths_heed_silence(struct engine *engine,
                        const struct scan_block *scan_block); /* its sweep is over: was it heard at all? */
void paths_dropped(struct engine *engine);          /* our own side is too slow for what comes back */
double paths_rate_pps(const struct engine *engine); /* in all */
void paths_asked_known(struct engine *engine, const struct scan_block *scan_block,
                       unsigned count); /* probes left that were always answered */
void paths_answered(struct engine *engine, const struct scan_block *scan_block); /* something was */
static inline struct path *path_of(struct engine *engine, const struct scan_block *scan_block)
{
    return &engine->paths[scan_block->path];
}

/* path/sounding.c */
bool sounding_send(struct engine *engine,
                   struct scan_block *scan_block); /* if one is due; true: it was sent */
void sounding_expire(struct engine *engine, struct path *path);
bool sounding_answered(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint32_t spec,
                       int64_t sent_ns); /* is that what this was? */
bool sounding_find_spec(
    const struct engine *engine, const struct scan_block *scan_block, const struct host_record *record,
    uint32_t *ret_spec); /* what it answers, or may: an echo. False: nothing. record may be NULL */
void sounding_learn(struct host_record *record, uint32_t spec, bool echo); /* it answers this */
bool sounding_is_echo(const struct engine *engine, const struct scan_block *scan_block,
                      const struct packet *packet); /* then its spec is the one behind the scan's */

/* events.c: the events of netio. */
extern const struct netio_events engine_events;

/* answer/answers.c: is it an answer to a probe of any block? Then it is taken. */
bool answer_in_blocks(struct engine *engine, const struct flow *flow, const struct packet *packet);

/* This is proved of a probe: take it, whatever it is about; or settle its port with it. */
void answer_take(struct engine *engine, const struct match *match, const struct addr *host,
                 const struct verdict *verdict);
void answer_settle(struct engine *engine, const struct match *match, uint64_t bit,
                   const struct verdict *verdict);

/* The number in the pool of the address of ours that an answer came to; 0: none of the pool. */
uint16_t answer_source(const struct engine *engine, const struct addr *local);

/* Is the datagram an answer to a probe of this port of this host, though it came from elsewhere? Then it is
 * taken. */
bool answer_as_from(struct engine *engine, const struct packet *packet, const struct addr *host,
                    uint16_t port);

/* answer/settled.c: what settled a port, and whether another answer about it outweighs that. weak: a port
 * number alone proves it. */
void settled_by(struct scan_block *scan_block, uint64_t bit, const struct verdict *verdict);
bool settled_outweighed(struct engine *engine, const struct scan_block *scan_block, uint64_t bit,
                        const struct verdict *verdict, bool weak);

/* silence/losses.c: events of netio that tell of losses of our own. */
void losses_on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count);
void losses_on_disturbed(void *context, enum disturbance what, int64_t from_ns, int64_t to_ns);

/* answer/elsewhere.c: a datagram that answers no probe by its sender. Was it an answer all the same? */
bool elsewhere_answer(struct engine *engine, const struct packet *packet);

/* silence/silence.c: a sweep and its time-out are over. */
void silence_weigh(struct engine *engine, struct scan_block *scan_block);
void silence_time_out_hosts(struct engine *engine);
void silence_end_block(struct engine *engine, struct scan_block *scan_block,
                       uint8_t flags); /* report what is open */

/* silence/certainty.c: how many silent ports of this host answer all the same, by expectation; and is the
 * chance of it small enough? */
double silence_doubt(struct engine *engine, const struct scan_block *scan_block,
                     const struct host_slot *slot);
bool silence_is_certain(struct engine *engine, const struct scan_block *scan_block,
                        const struct host_slot *slot, unsigned tries);

/* Has it answered a probe of the scan, of services or with a reset? Then its canaries show whether somebody
 * drops our probes; one that has not may be behind a policer unseen, if it is asked that many ports. */
#define POLICED_PORTS_LEAST 8
bool host_is_known(struct engine *engine, const struct host_slot *slot);

/* silence/second_try.c: a sweep has begun; at which pace? */
void second_try_pace(struct engine *engine, struct scan_block *scan_block);

/* silence/timeout.c: how long after its last probe the answers of a block's hosts may take: the longest
 * time-out of those still open. And how often a neighbour is asked. */
int64_t block_rto_ns(struct engine *engine, const struct scan_block *scan_block);
unsigned neighbor_tries(struct engine *engine, const struct scan_block *scan_block);

/* silence/remainder.c: after how many tries every pending port of the host has been asked all that is known
 * for it. */
unsigned remainder_tries(const struct scan_block *scan_block, uint32_t slot);
/* Silence is certain. True: some ports are still to be asked, and those that were asked everything are
 * dropped. False: none is; host_finish is to say what the silence of all that is pending means. */
bool remainder_keep(struct engine *engine, struct scan_block *scan_block, uint32_t slot);

/* finish.c: a host has no more to ask, or is not asked any more: report it and let it go. flags: enum
 * record_flag. */
void host_finish(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint8_t flags);
/* It was asked as often as it is going to be. certain: its silence is believed; else that is said. */
void host_finish_asked(struct engine *engine, struct scan_block *scan_block, uint32_t slot, bool certain);

/* limited/canary.c: does a host limit its answers? */
bool canary_begin(struct engine *engine,
                  struct scan_block *scan_block); /* false: not to be asked in this block */
bool canary_go_on(struct engine *engine, struct scan_block *scan_block,
                  uint32_t allowance); /* false: all are asked */
bool canary_answered(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                     uint32_t spec); /* was it? */
struct canary_answer {
    uint32_t slot, spec;
    int64_t sent_ns;
};
void canary_service_answered(struct engine *engine, struct scan_block *scan_block,
                             const struct canary_answer *answer); /* if that is what it was */
void canary_learn_service(struct host_record *record, uint32_t spec);

/* The first port that drew a reset, or an ICMP error of the host, can show later whether such answers still
 * come; better one that drew an error, since more hosts limit those. */
void canary_learn_limited(struct host_record *record, uint32_t spec, bool is_error);

enum canary_verdict {
    CANARY_FINE,
    CANARY_LIMITED, /* answers come only so often */
    CANARY_POLICED, /* probes get there only so often */
    CANARY_UNCLEAR, /* the path lost whatever was asked */
};

/* Were some hosts asked, and did nothing at all come back? */
bool canary_is_silence(struct engine *engine, const struct scan_block *scan_block);

/* What was sent faster than the path carries is asked again at the end of the next sweep, and not judged
 * before. */
void canary_forget(struct engine *engine, struct scan_block *scan_block);

/* Once their time is over; record may be NULL. path_loss: the chance that the path loses a sounding. */
enum canary_verdict canary_judge(struct host_record *record, double path_loss);

/* Has each host answered something that left after this sweep? Then what is unanswered waits for no host, and
 * only what was overtaken on the way may come yet. */
void canary_look(struct engine *engine, struct scan_block *scan_block);

/* limited/lane.c: a limited host at its own pace. */
bool lane_open(struct engine *engine, struct scan_block *from,
               uint32_t slot); /* false: no room; it stays where it is */
void lane_run(struct engine *engine, struct scan_block *scan_block);
void lane_answered(struct engine *engine, struct scan_block *scan_block, const struct lane_probe *probe,
                   bool limited);                                     /* probe: bit and source */
void lane_void(struct engine *engine, struct scan_block *scan_block); /* what it asks now may be lost by us */
void lane_canary_answered(struct engine *engine, struct scan_block *scan_block);

/* restore.c: a block as it was when the scan was interrupted. False: no memory or room, and it is not
 * there. */
bool restore_block(struct engine *engine, const struct resumed_block *resumed);

/* checkpoint.c: how far the scan is. */
void checkpoint_begin_block(struct engine *engine, const struct scan_block *scan_block);
void checkpoint_end_block(struct engine *engine, struct scan_block *scan_block);
void checkpoint_intake(struct engine *engine, uint32_t hosts); /* so many at most are taken in next */
void checkpoint_run(struct engine *engine);

/* emit.c: records out. */
void emit_host_up(struct engine *engine, const struct addr *host, const struct verdict *verdict,
                  int64_t rtt_ns);
void emit_host_down(struct engine *engine, const struct addr *host, enum reason reason);
void emit_mac(struct engine *engine, const struct addr *host, const uint8_t mac[static 6]);
void emit_host_done(struct engine *engine, const struct addr *host, const struct host_record *record,
                    uint8_t tries, uint8_t flags);
void emit_host_unreachable(struct engine *engine, const struct addr *host);
void emit_port(struct engine *engine, const struct addr *host, const struct probe_spec *spec,
               const struct verdict *verdict, int64_t rtt_ns, uint8_t tries, uint8_t flags);
void emit_confirmation(struct engine *engine, const struct addr *host, const struct probe_spec *spec,
                       enum confirmation confirmation);
void emit_note(struct engine *engine, enum note note, const struct addr *host, uint64_t first,
               uint64_t second);
void emit_rate(struct engine *engine, const struct path *path); /* it changed since told_pps */
void emit_path(struct engine *engine, enum note note,
               const struct divided *divided); /* split, or joined again */
void emit_silence(struct engine *engine, enum note note, const struct path *path);
void emit_crowded(struct engine *engine, const struct path *path, unsigned networks,
                  bool differ); /* more than so many that differ, or could */
void emit_checkpoint(struct engine *engine, enum record_type type, const struct scan_block *scan_block,
                     uint64_t tries, struct order_range range); /* scan_block may be NULL */
void emit_progress(struct engine *engine, double rate_pps);
void emit_end(struct engine *engine, uint8_t flags);
