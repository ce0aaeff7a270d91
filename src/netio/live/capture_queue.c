#include "netio/live/capture_queue.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/time.h"

#define BUFFER_LEN 65536
#define ROOM_LEN   (4 << 20) /* asked for; net.core.rmem_max is what we get */

int capture_queue_open(struct capture_queue *ret, int fd, struct error *err)
{
    int on = 1, room = ROOM_LEN;
    if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
        return error_set(err, EX_OSERR, "cannot make the queue of received packets: %s", strerror(errno));
    uint8_t *buffer = malloc(BUFFER_LEN);
    if (!buffer)
        return error_set(err, EX_OSERR, "out of memory");
    *ret = (struct capture_queue){.fd = fd, .buffer = buffer};
    return 0;
}

void capture_queue_close(struct capture_queue *queue)
{
    free(queue->buffer);
    *queue = (struct capture_queue){.fd = -1};
}

/* What the kernel says of a packet beside its bytes. */
static void read_notes(struct msghdr *message, struct captured *ret)
{
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note; note = CMSG_NXTHDR(message, note)) {
        if (note->cmsg_level == SOL_PACKET && note->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata facts;
            memcpy(&facts, CMSG_DATA(note), sizeof facts);
            captured_note_status(ret, facts.tp_status, facts.tp_vlan_tci);
        }
        if (note->cmsg_level == SOL_SOCKET && note->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(note), sizeof at);
            ret->realtime_ns = at.tv_sec * SEC + at.tv_nsec;
        }
    }
}

bool capture_queue_next(struct capture_queue *queue, struct captured *ret)
{
    struct sockaddr_ll name = {0};
    struct iovec part = {.iov_base = queue->buffer, .iov_len = BUFFER_LEN};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(struct timespec))];
    } notes;
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof name,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &notes,
                             .msg_controllen = sizeof notes};
    ssize_t len = recvmsg(queue->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (len < 0)
        return false;
    *ret = (struct captured){
        .data = queue->buffer,
        .len = len < BUFFER_LEN ? (size_t)len : BUFFER_LEN,
        .wire_len = (size_t)len,
    };
    captured_note_sender(ret, &name);
    read_notes(&message, ret);
    return true;
}
