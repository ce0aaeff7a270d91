#include "sandbox/caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "sandbox/sanitizers.h"

bool caps_have_net_raw(void)
{
    return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW);
}

/* Of what is permitted make these effective, and nothing else. */
static bool set_effective(const unsigned *capabilities, size_t count)
{
    if (capng_get_caps_process())
        return false;
    for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
        capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, i);
    for (size_t i = 0; i < count; i++) {
        if (capng_have_capability(CAPNG_PERMITTED, capabilities[i]))
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capabilities[i]);
    }
    return capng_apply(CAPNG_SELECT_CAPS) == 0;
}

int caps_raise_net_raw(struct error *err)
{
    static const unsigned net_raw = CAP_NET_RAW;
    if (caps_have_net_raw() && set_effective(&net_raw, 1))
        return 0;
    return error_set(err, EX_NOPERM,
                     "raw sockets need the capability CAP_NET_RAW: run as root, or grant it once with "
                     "'setcap cap_net_raw+ep' on the program");
}

void caps_lower_net_raw(void)
{
    set_effective(NULL, 0);
}

int caps_raise_wire(struct error *err)
{
    static const unsigned wire[] = {CAP_NET_RAW, CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_RESOURCE};
    if (capng_get_caps_process() == 0 && capng_have_capability(CAPNG_PERMITTED, CAP_BPF) &&
        capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) &&
        capng_have_capability(CAPNG_PERMITTED, CAP_PERFMON) &&
        set_effective(wire, sizeof wire / sizeof wire[0]))
        return 0;
    return error_set(err, EX_NOPERM,
                     "BPF programs need more capabilities: run as root, or grant them once with 'setcap "
                     "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon+ep' on the program");
}

/* Whom root becomes. */
struct identity {
    bool change;
    uid_t uid;
    gid_t gid;
};

/* A user or group number as sudo writes it. UINT32_MAX is no number: setresuid takes it for "leave it". */
static bool read_id(const char *text, uint32_t *ret)
{
    size_t len = strspn(text, "0123456789");
    uint64_t value = 0;
    if (len == 0 || len > 10 || text[len])
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value >= UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static int choose_identity(struct identity *ret, struct error *err)
{
    *ret = (struct identity){.change = false};
    if (geteuid() != 0)
        return 0;
    if (getuid() != 0) { /* set-user-ID: its caller */
        *ret = (struct identity){.change = true, .uid = getuid(), .gid = getgid()};
        return 0;
    }

    const char *user = secure_getenv("SUDO_UID");
    const char *group = secure_getenv("SUDO_GID");
    uint32_t uid, gid;
    if (!user && !group)
        return 0;
    if (!user || !read_id(user, &uid))
        return error_set(err, EX_USAGE, "SUDO_UID is not a user number: '%.40s'", user ? user : "");
    if (!group || !read_id(group, &gid))
        return error_set(err, EX_USAGE, "SUDO_GID is not a group number: '%.40s'", group ? group : "");
    *ret = (struct identity){.change = uid != 0, .uid = uid, .gid = gid};
    return 0;
}

/* Root cannot become anybody without the right to, nor in a user namespace in which the other user has no
 * number. It stays then (change is cleared), and loses its capabilities as every root does. */
static int change_identity(struct identity *identity, struct error *err)
{
    bool may = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
               capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
    bool is_root = getuid() == 0; /* and not a set-user-ID program, which must not stay root */
    identity->change = may || !is_root;
    if (!identity->change)
        return 0;
    bool failed = setresgid(identity->gid, identity->gid, identity->gid) != 0;
    if (failed && errno == EINVAL && is_root) {
        identity->change = false;
        return 0;
    }
    /* The groups go first: afterwards the right to change them is gone. */
    if (failed || setgroups(0, NULL) || setresuid(identity->uid, identity->uid, identity->uid))
        return error_set(err, EX_OSERR, "cannot become user %u, group %u: %s", identity->uid, identity->gid,
                         strerror(errno));
    return 0;
}

static bool is_empty(capng_select_t set)
{
    return capng_have_capabilities(set) == CAPNG_NONE;
}

/* What was given up must be gone, and must not come back. */
static int check_gone(const struct identity *identity, struct error *err)
{
    if (capng_get_caps_process() || !is_empty(CAPNG_SELECT_CAPS) || !is_empty(CAPNG_SELECT_AMBIENT))
        return error_set(err, EX_OSERR, "capabilities are left after they were dropped");
    if (capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_EFFECTIVE, CAP_NET_RAW) == 0 &&
        capng_apply(CAPNG_SELECT_CAPS) == 0)
        return error_set(err, EX_OSERR, "CAP_NET_RAW came back after it was dropped");

    uid_t real, effective, saved;
    if (!identity->change)
        return 0;
    if (getresuid(&real, &effective, &saved) || real != identity->uid || effective != identity->uid ||
        saved != identity->uid || seteuid(0) == 0)
        return error_set(err, EX_OSERR, "still root after becoming user %u", identity->uid);
    return 0;
}

int caps_drop_all(struct error *err)
{
    static const unsigned to_change[] = {CAP_SETPCAP, CAP_SETUID, CAP_SETGID};
    struct identity identity;
    int status = choose_identity(&identity, err);
    if (status)
        return status;

    /* The bounding set is first: it takes CAP_SETPCAP, which only root has. Without it the set does no harm,
     * as long as no program is run that brings capabilities of its own. */
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    set_effective(to_change, sizeof to_change / sizeof *to_change);
    capng_clear(CAPNG_SELECT_BOUNDS);
    capng_apply(CAPNG_SELECT_BOUNDS);

    if (capng_get_caps_process())
        return error_set(err, EX_OSERR, "cannot read the capabilities of this process");
    status = identity.change ? change_identity(&identity, err) : 0;
    if (status)
        return status;

    capng_clear(CAPNG_SELECT_ALL);
    if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT))
        return error_set(err, EX_OSERR, "cannot drop the capabilities of this process: %s", strerror(errno));
    /* Last, for a change of user or capabilities sets it anew. A check for leaks traces its own process. */
    if (!sanitizers_present() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return error_set(err, EX_OSERR, "cannot keep memory out of core files: %s", strerror(errno));
    return check_gone(&identity, err);
}

int caps_no_new_privs(struct error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return error_set(err, EX_OSERR, "cannot give up gaining privilege: %s", strerror(errno));
    return 0;
}
